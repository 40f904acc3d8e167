import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { createApi } from "../api.ts";
import { useHash } from "../hooks/use-hash.ts";
import { useSource } from "../hooks/use-source.ts";
import type { ChatEnv } from "./env.ts";
import { type Login, readLogin, writeLogin } from "./login-store.ts";
import { ChatSession } from "./session.ts";
import { totalUnread } from "./state/chat-state.ts";
import { LoginPage } from "./view/login-page.tsx";
import { Workspace } from "./view/workspace.tsx";
import { pageTitle } from "./words.ts";

/** The whole page: the form to log in, or the chat of whoever is logged in. */
export function App({ env }: { readonly env: ChatEnv }): JSX.Element {
	const [login, setLogin] = useState(() => readLogin(env.tabShelf));
	const [message, setMessage] = useState<string>();
	const change = (next: Login | undefined, why?: string): void => {
		writeLogin(env.tabShelf, next);
		setMessage(why);
		setLogin(next);
	};
	useEffect(() => {
		if (login === undefined) document.title = pageTitle(undefined, 0);
	}, [login]);
	if (login === undefined) return <LoginPage message={message} loggedIn={change} />;
	return <LoggedIn key={login.token} env={env} login={login} leave={(why) => change(undefined, why)} />;
}

function LoggedIn(props: {
	readonly env: ChatEnv;
	readonly login: Login;
	readonly leave: (why?: string) => void;
}): JSX.Element {
	const { env, login, leave } = props;
	const session = useMemo(() => new ChatSession(createApi(login.token), login.aor, env, leave), [login]);
	const state = useSource(session);
	const [hash, setHash] = useHash();
	useEffect(() => {
		session.start();
		const watch = (): void => session.setWatched(document.visibilityState === "visible");
		const renew = (): void => session.networkChanged();
		watch();
		document.addEventListener("visibilitychange", watch);
		addEventListener("online", renew);
		return () => {
			document.removeEventListener("visibilitychange", watch);
			removeEventListener("online", renew);
			session.close();
		};
	}, [session]);
	useEffect(() => session.select(hash), [session, hash]);
	const unread = totalUnread(state);
	useEffect(() => {
		document.title = pageTitle(login.aor, unread);
	}, [login, unread]);
	return (
		<Workspace
			session={session}
			state={state}
			select={setHash}
			logOut={() => {
				setHash(undefined);
				void session.logOut();
				leave();
			}}
		/>
	);
}
