import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** A question in front of the page; the browser keeps the focus in it, and Escape closes it. */
export function Modal(props: {
	readonly title: string;
	readonly close: () => void;
	readonly children: ComponentChildren;
}): JSX.Element {
	const dialog = useRef<HTMLDialogElement>(null);
	const titleId = useId();
	useEffect(() => {
		const element = dialog.current;
		element?.showModal();
		return () => element?.close();
	}, []);
	return (
		<dialog ref={dialog} class="modal" aria-labelledby={titleId} onClose={props.close}>
			<h2 id={titleId}>{props.title}</h2>
			{props.children}
		</dialog>
	);
}
