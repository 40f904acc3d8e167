import type { PresenceState } from "@causeway/admin";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { createApi, explainError } from "../../api.ts";
import markUrl from "../../ui/causeway.svg";
import { Icon } from "../../ui/icon.tsx";
import type { Login } from "../login-store.ts";
import { ownStates, stateWords } from "../words.ts";

/** The form to log in. `message` says why somebody who was logged in is here again. */
export function LoginPage(props: {
	readonly message: string | undefined;
	readonly loggedIn: (login: Login) => void;
}): JSX.Element {
	const [aor, setAor] = useState("");
	const [password, setPassword] = useState("");
	const [state, setState] = useState<PresenceState | "">("available");
	const [fault, setFault] = useState<string>();
	const [isBusy, setBusy] = useState(false);
	const address = useRef<HTMLInputElement>(null);
	useEffect(() => address.current?.focus(), []);

	const logIn = async (): Promise<void> => {
		setBusy(true);
		setFault(undefined);
		try {
			const { aor: own, token } = await createApi().call("login", { body: { aor: aor.trim(), password } });
			if (state !== "") await publish(token, state);
			props.loggedIn({ aor: own, token });
		} catch (error) {
			setFault(explainError(error));
			setBusy(false);
		}
	};

	const told = fault ?? props.message;
	return (
		<main class="login">
			<form
				class="card"
				onSubmit={(event) => {
					event.preventDefault();
					void logIn();
				}}
			>
				<div class="brand">
					<img src={markUrl} alt="" width={40} height={40} />
					<h1>Causeway chat</h1>
				</div>
				{told === undefined ? null : (
					<p class={fault === undefined ? "told" : "told bad"} role="alert">
						<Icon name="warning" />
						<span>{told}</span>
					</p>
				)}
				<label>
					<span>Address</span>
					<input
						ref={address}
						name="address"
						type="text"
						inputMode="email"
						autoComplete="username"
						autoCapitalize="none"
						spellcheck={false}
						placeholder="alice@contoso.example"
						required
						value={aor}
						onInput={(event) => setAor(event.currentTarget.value)}
					/>
				</label>
				<label>
					<span>Password</span>
					<input
						name="password"
						type="password"
						autoComplete="current-password"
						required
						value={password}
						onInput={(event) => setPassword(event.currentTarget.value)}
					/>
				</label>
				<label>
					<span>Show me as</span>
					<select
						name="state"
						value={state}
						onChange={(event) => setState(ownStates.find((word) => word === event.currentTarget.value) ?? "")}
					>
						{ownStates.map((word) => (
							<option key={word} value={word}>
								{stateWords[word]}
							</option>
						))}
						<option value="">As I was before</option>
					</select>
				</label>
				<button class="button primary" type="submit" disabled={isBusy}>
					{isBusy ? "Logging in…" : "Log in"}
				</button>
			</form>
		</main>
	);
}

/** With the note of before. */
async function publish(token: string, state: PresenceState): Promise<void> {
	const api = createApi(token);
	const { note } = await api.call("getPresence");
	await api.call("putPresence", { body: { state, ...(note === undefined ? {} : { note }) } });
}
