/** Conferences by full mesh, as later clients start them: not in the profile, and refused (protocol sheet 3.7). */
import { headerValuesByName, type SipRequest } from "@causeway/sip";

/** Whether an INVITE calls more people than the two of a conversation. */
export function isMultiparty(invite: SipRequest): boolean {
	const triggered = headerValuesByName(invite, "TriggeredInvite").some(
		(value) => value.trim().toUpperCase() === "TRUE",
	);
	return triggered || headerValuesByName(invite, "EndPoints").reduce((sum, value) => sum + countMembers(value), 0) > 2;
}

/** Members are addresses between commas; a comma in quotes or angle brackets belongs to its member. */
function countMembers(value: string): number {
	let members = value.trim() === "" ? 0 : 1;
	let isQuoted = false;
	let isInBrackets = false;
	for (let index = 0; index < value.length; index += 1) {
		const character = value.charAt(index);
		if (isQuoted && character === "\\") index += 1;
		else if (character === '"' && !isInBrackets) isQuoted = !isQuoted;
		else if (!isQuoted && character === "<") isInBrackets = true;
		else if (!isQuoted && character === ">") isInBrackets = false;
		else if (character === "," && !isQuoted && !isInBrackets) members += 1;
	}
	return members;
}
