/** 1: the command could not do it; 2: it was asked wrongly. */
export type FailureExitCode = 1 | 2;

/** Ends a command: one sentence for stderr and the exit code. */
export class CommandFailed extends Error {
	readonly exitCode: FailureExitCode;

	constructor(sentence: string, exitCode: FailureExitCode = 1) {
		super(sentence);
		this.name = "CommandFailed";
		this.exitCode = exitCode;
	}
}
