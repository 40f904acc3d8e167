/** The building blocks of the configuration schema: one function for each kind of value a key can have. */
import { z } from "zod";
import { isAddressRange, isFqdn, parseHostPort } from "./host-port.ts";

/** Whether a changed key takes effect on reload, or only when the server starts. */
export type Reload = "live" | "restart";

/** What a key says about itself beside its type, kept in zod's metadata. */
export interface KeyMeta {
	readonly description: string;
	readonly reload: Reload;
	/** The value names files: relative ones are resolved from the file's folder. */
	readonly path?: true;
	/** The value tells where a secret is kept: never displayed. */
	readonly secret?: true;
}

/** Puts {@link KeyMeta} on a key. */
export function key<Schema extends z.ZodType>(
	schema: Schema,
	reload: Reload,
	description: string,
	more: { readonly path?: true; readonly secret?: true } = {},
): Schema {
	return schema.meta({ description, reload, ...more } satisfies KeyMeta);
}

export const flag = (): z.ZodBoolean => z.boolean();

export const oneOf = <const Words extends readonly [string, ...string[]]>(...words: Words) => z.enum(words);

export const wholeNumber = (least: number, most: number): z.ZodNumber => z.int().min(least).max(most);

export const fqdn = () =>
	z.string().toLowerCase().refine(isFqdn, 'must be a full host name such as "sip.contoso.example"');

export const domainName = () =>
	z.string().toLowerCase().refine(isFqdn, 'must be a domain name such as "contoso.example"');

/** An edge or inside server: a name, because a certificate must carry it; port 5061 where not given. */
export const serverName = () =>
	z
		.string()
		.toLowerCase()
		.refine((text) => {
			const read = parseHostPort(text);
			return read?.kind === "name" && read.host.includes(".") && read.port !== 0;
		}, 'must be a full host name with an optional port, such as "sip.fabrikam.example:5061"; the certificate must carry the name');

/** An address to dial in place of the name: address or name, and port. */
export const dialAddress = () =>
	z
		.string()
		.toLowerCase()
		.refine(
			(text) => (parseHostPort(text)?.port ?? 0) > 0,
			'must be an address and a port, such as "192.0.2.5:5061" or "[2001:db8::5]:5061"',
		);

/** An address to listen on; port 0 lets the system choose. */
export const listenAddress = () =>
	z
		.string()
		.toLowerCase()
		.refine((text) => {
			const read = parseHostPort(text);
			return read?.port !== undefined && (read.kind !== "name" || read.host === "localhost");
		}, 'must be an address and a port, such as "0.0.0.0:5061" or "[::]:5061"');

export const dnsServer = () =>
	z
		.string()
		.toLowerCase()
		.refine((text) => {
			const read = parseHostPort(text);
			return read !== undefined && read.kind !== "name" && read.port !== 0;
		}, 'must be an IP address with an optional port, such as "127.0.0.1:5353" or "[::1]:53"');

export const proxyAddress = () =>
	z.string().refine(isAddressRange, 'must be an IP address or a range such as "192.0.2.0/24"');

export const fileName = () =>
	z
		.string()
		.min(1, "must name a file")
		// A path is shown in problems and logs; a key pasted here must not be.
		.refine((text) => !/\p{Cc}/u.test(text), "must name a file, not hold its contents");

/** Files, or `"system"` for the system's public roots. Always a list in the value. */
export const trustAnchors = () =>
	z
		.union([z.literal("system"), z.array(fileName()).min(1)], 'must be "system" or a list of files')
		.transform((value): string[] => (value === "system" ? [value] : value));

export const httpsUrl = () =>
	z.string().refine((text) => {
		const url = URL.parse(text);
		return url !== null && url.protocol === "https:" && url.username === "" && url.password === "";
	}, "must be an https URL without user name; other schemes are not used");

/** Empty, or what the inner schema takes. */
export const orEmpty = <Schema extends z.ZodType<string>>(schema: Schema) =>
	z.string().superRefine((text, context) => {
		if (text === "") return;
		const read = schema.safeParse(text);
		for (const issue of read.error?.issues ?? []) context.addIssue({ code: "custom", message: issue.message });
	});
