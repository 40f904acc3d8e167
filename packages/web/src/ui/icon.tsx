import type { JSX } from "preact";

const paths = {
	add: "M12 5v14M5 12h14",
	back: "M15 5l-7 7 7 7",
	block: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.7 5.7l12.6 12.6",
	check: "M5 12.5l4.5 4.5L19 7.5",
	leave: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 16l-4-4 4-4M6 12h10",
	more: "M6 12h.01M12 12h.01M18 12h.01",
	send: "M4 12l16-8-6 16-3-7-7-1z",
	shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2.2 2.2L15.2 10",
	"shield-open": "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM12 8v5M12 16h.01",
	warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
	close: "M6 6l12 12M18 6L6 18",
} as const;

export type IconName = keyof typeof paths;

/** A drawing beside words; it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
	return (
		<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
			<path d={paths[name]} />
		</svg>
	);
}
