import type { Token, User } from "@causeway/admin";
import type { Clock, Logger } from "@causeway/sip";
import type { Audit } from "../store/audit.ts";
import type { Tokens } from "../store/tokens.ts";
import type { User as StoredUser, Users } from "../store/users.ts";
import { type AdminCaller, type ApiHandlers, ApiProblem } from "./handlers.ts";
import { LoginThrottle } from "./login-throttle.ts";

/** The operations that need nothing but the store. */
export type AccountHandlers = Pick<
	ApiHandlers,
	"login" | "logout" | "listUsers" | "getUser" | "putUser" | "deleteUser" | "setPassword" | "suspendUser" | "mintToken"
>;

/** What happened to a user, for those who hold live state of it. */
export type UserChangeKind =
	| "added"
	| "changed"
	| "outside-changed"
	| "password-set"
	| "suspended"
	| "resumed"
	| "removed";

export interface AccountOptions {
	readonly users: Users;
	readonly tokens: Pick<Tokens, "create" | "revoke" | "revokeAll">;
	readonly audit: Pick<Audit, "append">;
	readonly clock: Pick<Clock, "now">;
	readonly log: Logger;
	/** Whether the domain (lower case) is one of our hosted domains. */
	readonly isHostedDomain: (domain: string) => boolean;
	/**
	 * Called after the change is on disk. On `password-set`, `suspended` and `removed` the user's tokens are dead:
	 * WebSockets opened with them must end too.
	 */
	readonly userChanged: (aor: string, kind: UserChangeKind) => void;
}

/** Life of a token got by password. */
const loginLifetimeMs = 7 * 24 * 3_600_000;
/** Life of a token an administrator makes and gives no life. */
const mintedLifetimeSeconds = 3_600;
const defaultPageLength = 100;

/** Guesses at one user's password from one address: 10 at once, then one a half minute. */
const perUserRate = { burst: 10, refillMs: 30_000 } as const;
/** Attempts from one address, whoever they are for: 60 at once, then one a second. */
const perAddressRate = { burst: 60, refillMs: 1_000 } as const;

/** Log-in and the administration of users and their tokens. */
export function createAccountHandlers(options: AccountOptions): AccountHandlers {
	const { users, tokens, audit, clock, log, userChanged } = options;
	const perUser = new LoginThrottle(perUserRate, clock);
	const perAddress = new LoginThrottle(perAddressRate, clock);

	/** The act is done and on disk by now: a record that cannot be written is told in the log and undoes nothing. */
	async function record(caller: AdminCaller, action: string, target: string, details = {}): Promise<void> {
		try {
			await audit.append({ actor: caller.name, action, target, details });
		} catch (error) {
			log.error("audit record lost", {
				action,
				target,
				detail: error instanceof Error ? error.message : String(error),
			});
		}
	}

	function requireUser(aor: string): StoredUser {
		const user = users.get(aor);
		if (user === undefined) throw unknownUser(aor);
		return user;
	}

	async function mint(aor: string, lifetimeMs: number, label: string): Promise<Token> {
		const made = await tokens.create(aor, { lifetimeMs, label });
		if (made.kind === "no-owner") throw unknownUser(aor);
		return { aor, token: made.secret, expires_at: instant(made.token.expiresAt) };
	}

	return {
		async login({ body, clientAddress }) {
			const key = `${clientAddress} ${body.aor}`;
			const waitSeconds = perAddress.take(clientAddress) || perUser.take(key);
			if (waitSeconds > 0) {
				log.warn("login throttled", { clientAddress, aor: body.aor });
				throw new ApiProblem("too-many-requests", `try again in ${waitSeconds} s`, { retryAfterSeconds: waitSeconds });
			}
			// One answer for an unknown user, a suspended one and a wrong password; the store takes as long for each.
			const user = await users.verifyPassword(body.aor, body.password);
			if (user === undefined) {
				log.info("login refused", { clientAddress, aor: body.aor });
				throw new ApiProblem("login-failed");
			}
			perUser.clear(key);
			return { status: 200, body: await mint(user.aor, loginLifetimeMs, "login") };
		},

		async logout({ caller }) {
			await tokens.revoke(caller.aor, caller.tokenId);
			return { status: 204 };
		},

		listUsers({ query }) {
			const limit = query.limit ?? defaultPageLength;
			// One more than asked for tells whether a page follows.
			const found = users.list({ ...(query.after === undefined ? {} : { after: query.after }), limit: limit + 1 });
			const page = found.slice(0, limit);
			const last = page.at(-1);
			const more =
				last !== undefined && (found.length > limit || (found.length === limit && hasUserAfter(users, last)));
			return { status: 200, body: { users: page.map(describeUser), ...(more ? { next: last.aor } : {}) } };
		},

		getUser({ params }) {
			return { status: 200, body: describeUser(requireUser(params.aor)) };
		},

		async putUser({ caller, params: { aor }, body }) {
			if (users.get(aor) === undefined) {
				const domain = aor.slice(aor.lastIndexOf("@") + 1);
				if (!options.isHostedDomain(domain)) {
					throw new ApiProblem("not-hosted", `${domain} is not a hosted domain of this edge`);
				}
				if (body.password === undefined) {
					const errors = [{ in: "body", pointer: "/password", detail: "is needed for a new user" }] as const;
					throw new ApiProblem("validation-failed", undefined, { errors });
				}
				const added = await users.add({
					address: aor,
					password: body.password,
					...(body.display_name === undefined ? {} : { displayName: body.display_name }),
					force: body.reassign ?? false,
				});
				if (added.kind === "retired") {
					throw new ApiProblem("address-reserved", `${aor} is free again at ${instant(added.until)}`);
				}
				if (added.kind === "added") {
					await record(caller, "user.add", aor, body.reassign === true ? { reassign: true } : {});
					userChanged(aor, "added");
					return { status: 201, body: describeUser(added.user) };
				}
			}
			if (body.display_name !== undefined) {
				if ((await users.update(aor, { displayName: body.display_name })) === undefined) throw unknownUser(aor);
				await record(caller, "user.change", aor);
				userChanged(aor, "changed");
			}
			if (body.outside !== undefined) {
				if ((await users.update(aor, { outside: body.outside })) === undefined) throw unknownUser(aor);
				await record(caller, "user.outside", aor, { outside: body.outside });
				userChanged(aor, "outside-changed");
			}
			if (body.password !== undefined) await setPassword(caller, aor, body.password);
			return { status: 200, body: describeUser(requireUser(aor)) };
		},

		async deleteUser({ caller, params: { aor } }) {
			if (!(await users.remove(aor))) throw unknownUser(aor);
			await record(caller, "user.remove", aor);
			userChanged(aor, "removed");
			return { status: 204 };
		},

		async setPassword({ caller, params: { aor }, body }) {
			await setPassword(caller, aor, body.password);
			return { status: 204 };
		},

		async suspendUser({ caller, params: { aor }, body }) {
			const known = body.suspended ? await users.suspend(aor) : await users.resume(aor);
			if (!known) throw unknownUser(aor);
			// Tokens of before do not come back to life with the user.
			if (body.suspended) await tokens.revokeAll(aor);
			await record(caller, body.suspended ? "user.suspend" : "user.resume", aor);
			userChanged(aor, body.suspended ? "suspended" : "resumed");
			return { status: 200, body: describeUser(requireUser(aor)) };
		},

		async mintToken({ caller, params: { aor }, body }) {
			const user = requireUser(aor);
			if (user.suspended) throw new ApiProblem("forbidden", `${aor} is suspended`);
			const token = await mint(user.aor, (body.ttl_seconds ?? mintedLifetimeSeconds) * 1000, `made by ${caller.name}`);
			await record(caller, "user.token", aor);
			return { status: 201, body: token };
		},
	};

	async function setPassword(caller: AdminCaller, aor: string, password: string): Promise<void> {
		if (!(await users.setPassword(aor, password))) throw unknownUser(aor);
		await tokens.revokeAll(aor);
		await record(caller, "user.password", aor);
		userChanged(aor, "password-set");
	}
}

/** The store gives at most 1,000 at once: then the page alone does not show whether another follows. */
function hasUserAfter(users: Users, last: StoredUser): boolean {
	return users.list({ after: last.aor, limit: 1 }).length > 0;
}

function unknownUser(aor: string): ApiProblem {
	return new ApiProblem("unknown-user", `there is no user ${aor}`);
}

function describeUser(user: StoredUser): User {
	return {
		aor: user.aor,
		...(user.displayName === undefined ? {} : { display_name: user.displayName }),
		suspended: user.suspended,
		outside: user.outside,
		created_at: instant(user.createdAt),
	};
}

function instant(atMs: number): string {
	return new Date(atMs).toISOString();
}
