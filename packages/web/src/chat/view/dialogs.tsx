import { aorSchema } from "@causeway/admin";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Modal } from "../../ui/modal.tsx";
import type { ChatSession } from "../session.ts";
import type { ChatState } from "../state/chat-state.ts";

/** An address as the API takes it; undefined where it is none. */
function readAor(text: string): string | undefined {
	const read = aorSchema.safeParse(text.trim().replace(/^sip:/i, ""));
	return read.success ? read.data : undefined;
}

const noAddress = "This is no address. It looks like bob@fabrikam.example.";

function AddressField(props: {
	readonly value: string;
	readonly fault: string | undefined;
	readonly change: (text: string) => void;
}): JSX.Element {
	return (
		<label>
			<span>Address</span>
			<input
				type="text"
				name="aor"
				inputMode="email"
				autoComplete="off"
				autoCapitalize="none"
				spellcheck={false}
				placeholder="bob@fabrikam.example"
				required
				aria-invalid={props.fault !== undefined}
				value={props.value}
				onInput={(event) => props.change(event.currentTarget.value)}
			/>
			{props.fault === undefined ? null : (
				<span class="field-fault" role="alert">
					{props.fault}
				</span>
			)}
		</label>
	);
}

/** Asks for an address, to watch it or only to write to it. */
export function AddDialog(props: {
	readonly session: ChatSession;
	readonly close: () => void;
	readonly select: (aor: string) => void;
}): JSX.Element {
	const { session, close, select } = props;
	const [text, setText] = useState("");
	const [name, setName] = useState("");
	const [fault, setFault] = useState<string>();
	const withAddress = (act: (aor: string) => Promise<boolean>): void => {
		const aor = readAor(text);
		setFault(aor === undefined ? noAddress : undefined);
		if (aor === undefined) return;
		void act(aor).then((isDone) => {
			close();
			if (isDone) select(aor);
		});
	};
	return (
		<Modal title="Add a contact" close={close}>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					withAddress((aor) => session.putContact(aor, name.trim()));
				}}
			>
				<AddressField value={text} fault={fault} change={setText} />
				<label>
					<span>Your name for them (optional)</span>
					<input
						type="text"
						name="name"
						autoComplete="off"
						maxLength={128}
						value={name}
						onInput={(event) => setName(event.currentTarget.value)}
					/>
				</label>
				<p class="hint">They are asked whether you may see their presence. You can write to them in any case.</p>
				<div class="acts">
					<button class="button primary" type="submit">
						Add
					</button>
					<button class="button" type="button" onClick={() => withAddress(async () => true)}>
						Only write a message
					</button>
					<button class="button quiet" type="button" onClick={close}>
						Cancel
					</button>
				</div>
			</form>
		</Modal>
	);
}

/** Asks for one's own name for a contact. */
export function RenameDialog(props: {
	readonly session: ChatSession;
	readonly aor: string;
	readonly name: string;
	readonly close: () => void;
}): JSX.Element {
	const { session, aor, close } = props;
	const [name, setName] = useState(props.name);
	return (
		<Modal title="Rename contact" close={close}>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void session.putContact(aor, name.trim()).then(close);
				}}
			>
				<label>
					<span>Your name for {aor}</span>
					<input
						type="text"
						name="name"
						autoComplete="off"
						maxLength={128}
						required
						value={name}
						onInput={(event) => setName(event.currentTarget.value)}
					/>
				</label>
				<div class="acts">
					<button class="button primary" type="submit">
						Rename
					</button>
					<button class="button quiet" type="button" onClick={close}>
						Cancel
					</button>
				</div>
			</form>
		</Modal>
	);
}

/** Asks before something that cannot be taken back at once. */
export function ConfirmDialog(props: {
	readonly title: string;
	readonly text: string;
	readonly act: string;
	readonly confirmed: () => void;
	readonly close: () => void;
}): JSX.Element {
	return (
		<Modal title={props.title} close={props.close}>
			<p>{props.text}</p>
			<div class="acts">
				<button
					class="button grave"
					type="button"
					onClick={() => {
						props.close();
						props.confirmed();
					}}
				>
					{props.act}
				</button>
				<button class="button quiet" type="button" onClick={props.close}>
					Cancel
				</button>
			</div>
		</Modal>
	);
}

/** Whom one blocks. */
export function BlocksDialog(props: {
	readonly session: ChatSession;
	readonly state: ChatState;
	readonly close: () => void;
}): JSX.Element {
	const { session, state, close } = props;
	const [text, setText] = useState("");
	const [fault, setFault] = useState<string>();
	const blocks = [...state.blocks.values()];
	return (
		<Modal title="Blocked addresses" close={close}>
			{blocks.length === 0 ? (
				<p class="hint">Nobody is blocked. Who is blocked sees you as offline and cannot write to you.</p>
			) : (
				<ul class="blocks">
					{blocks.map(({ aor, blocked_at }) => (
						<li key={aor}>
							<span class="block-words">
								<bdi>{aor}</bdi>
								<span class="hint">since {new Date(blocked_at).toLocaleDateString()}</span>
							</span>
							<button
								class="button small"
								type="button"
								aria-label={`Unblock ${aor}`}
								onClick={() => void session.unblock(aor)}
							>
								Unblock
							</button>
						</li>
					))}
				</ul>
			)}
			<form
				onSubmit={(event) => {
					event.preventDefault();
					const aor = readAor(text);
					setFault(aor === undefined ? noAddress : undefined);
					if (aor !== undefined) void session.block(aor).then((isDone) => isDone && setText(""));
				}}
			>
				<AddressField value={text} fault={fault} change={setText} />
				<div class="acts">
					<button class="button grave" type="submit">
						Block
					</button>
					<button class="button quiet" type="button" onClick={close}>
						Close
					</button>
				</div>
			</form>
		</Modal>
	);
}
