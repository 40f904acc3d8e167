/** The peers and blocks that stand: those of the running edge where it answers, live edits and all; else those of the file. */
import { readPeerSettings } from "@causeway/admin";
import type { CommandContext, ConnectionFlags } from "@causeway/admin/cli";
import { type Config, configSchema } from "../config/schema.ts";

export interface StandingConfiguration {
	/** The file's, with the peers and blocks that stand in place of its own. */
	readonly config: Config;
	/** Why the file's stand for them: in words; undefined where the running edge was asked. */
	readonly unasked: string | undefined;
}

const peerEntry = configSchema.shape.peer.unwrap().element;

export async function readStandingConfiguration(
	config: Config,
	context: Pick<CommandContext, "connect">,
	flags: Pick<ConnectionFlags, "config">,
): Promise<StandingConfiguration> {
	let peers: Config["peer"];
	let blocks: readonly { readonly domain: string }[];
	try {
		const client = await context.connect(flags);
		const [listed, blocked] = await Promise.all([client.call("listPeers"), client.call("listDomainBlocks")]);
		peers = listed.peers.flatMap((peer) => {
			const settings = readPeerSettings(peer);
			return settings === undefined ? [] : [peerEntry.parse(settings)];
		});
		({ blocks } = blocked);
	} catch (error) {
		return { config, unasked: error instanceof Error ? error.message : String(error) };
	}
	return { config: { ...config, peer: peers, block: blocks.map(({ domain }) => ({ domain })) }, unasked: undefined };
}
