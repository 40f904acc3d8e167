import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";

export interface MenuItem {
	readonly label: string;
	readonly act: () => void;
	readonly isGrave?: boolean;
}

/** A button that shows a list of acts; Escape, a choice, or a click elsewhere closes it. */
export function Menu({ label, items }: { readonly label: string; readonly items: readonly MenuItem[] }): JSX.Element {
	const details = useRef<HTMLDetailsElement>(null);
	useEffect(() => {
		const close = (event: Event): void => {
			if (event.target instanceof Node && details.current?.contains(event.target) === true) return;
			details.current?.removeAttribute("open");
		};
		addEventListener("pointerdown", close);
		addEventListener("focusin", close);
		return () => {
			removeEventListener("pointerdown", close);
			removeEventListener("focusin", close);
		};
	}, []);
	const shut = (): void => {
		details.current?.removeAttribute("open");
		details.current?.querySelector("summary")?.focus();
	};
	return (
		<details ref={details} class="menu" onKeyDown={(event) => event.key === "Escape" && shut()}>
			<summary class="button quiet square" aria-label={label} title={label}>
				<Icon name="more" />
			</summary>
			<div class="menu-items">
				{items.map((item) => (
					<button
						key={item.label}
						type="button"
						class={item.isGrave === true ? "grave" : ""}
						onClick={() => {
							shut();
							item.act();
						}}
					>
						{item.label}
					</button>
				))}
			</div>
		</details>
	);
}
