/** A server that knows no SIP: copies the octets of each connection to an inside server and back, mutual TLS on both sides. */
import { createTurnFlusher, TlsDialler, TlsListener } from "@causeway/sip/node";

export interface CopierPlan {
	readonly credentials: { readonly certificate: string; readonly key: string };
	/** Connections go to these in the order in which they come, round and round. */
	readonly targets: readonly { readonly port: number; readonly name: string }[];
}

process.on("message", (plan: CopierPlan) => {
	const flusher = createTurnFlusher();
	const dialler = new TlsDialler({ credentials: plan.credentials, flusher });
	let taken = 0;
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials: plan.credentials,
		flusher,
		accepted: (left) => {
			const target = plan.targets[taken % plan.targets.length];
			taken += 1;
			void dialler
				.dial({ address: "127.0.0.1", port: target?.port ?? 0, serverName: target?.name ?? "" })
				.then((outcome) => {
					if (!outcome.ok) {
						left.destroy(outcome.failure.reason);
						return;
					}
					const right = outcome.stream;
					const copy = (chunk: Uint8Array, to: typeof left): void => {
						to.write("", chunk);
					};
					left.start({ data: (chunk) => copy(chunk, right), closed: () => right.destroy("the other side closed") });
					right.start({ data: (chunk) => copy(chunk, left), closed: () => left.destroy("the other side closed") });
				});
		},
		refused: () => {},
	});
	void listener.start().then(() => process.send?.({ port: listener.endpoints[0]?.port ?? 0 }));
});
process.on("disconnect", () => process.exit());
