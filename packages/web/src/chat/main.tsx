import "../strict-content.ts";
import "../ui/base.css";
import "./chat.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { browserEnv } from "./env.ts";

const place = document.querySelector("#app");
if (place === null) throw new Error("the page has no place for the chat");
render(<App env={browserEnv()} />, place);
