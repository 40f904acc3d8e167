/** For the test of the watchdog: begins two runs, the second of which never ends. Takes the folder for found inputs. */
import { Watchdog } from "./watchdog.ts";

const [, , folder = ""] = process.argv;
const watchdog = new Watchdog({ folder, targets: ["first", "second"], stallMs: 50 });
watchdog.start();
watchdog.begin(0, Buffer.from("a longer input"), 1);
watchdog.begin(1, Buffer.from("endless"), 2);
for (;;);
