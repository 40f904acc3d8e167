import type { Verification } from "@causeway/admin";
import type { JSX } from "preact";
import { Icon } from "../../ui/icon.tsx";
import { verificationWords } from "../words.ts";

/** How sure we are of who is behind an address; nothing before their server was heard. */
export function VerificationMark({ level }: { readonly level: Verification | undefined }): JSX.Element | null {
	if (level === undefined) return null;
	return (
		<span
			class={`verification ${level}`}
			role="img"
			aria-label={verificationWords[level]}
			title={verificationWords[level]}
		>
			<Icon name={level === "verified" ? "shield" : "shield-open"} />
		</span>
	);
}
