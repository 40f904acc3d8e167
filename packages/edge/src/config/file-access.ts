/** The file system as the checks of a configuration see it: looking, never changing. */
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";

export interface FileState {
	readonly kind: "file" | "folder" | "other";
	/** Permission bits; 0 where the system has none. */
	readonly mode: number;
}

export interface FileAccess {
	/** UTF-8 text; rejects as Node.js does. */
	readText(path: string): Promise<string>;
	/** Undefined where nothing is there; rejects where that cannot be told. */
	inspect(path: string): Promise<FileState | undefined>;
	/** Whether this process may make files in the folder. */
	isWritable(folder: string): Promise<boolean>;
	/** Milliseconds since 1970-01-01T00:00Z. */
	wall(): number;
}

/** The real one. */
export const systemFiles: FileAccess = {
	readText: (path) => readFile(path, "utf8"),
	inspect: async (path) => {
		try {
			const found = await stat(path);
			const kind = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
			return { kind, mode: process.platform === "win32" ? 0 : found.mode & 0o777 };
		} catch (error) {
			if (errorCode(error) === "ENOENT") return undefined;
			throw error;
		}
	},
	isWritable: (folder) =>
		access(folder, constants.W_OK | constants.X_OK).then(
			() => true,
			() => false,
		),
	wall: () => Date.now(),
};

/** The reason a file could not be read, without its path. */
export function describeReadError(error: unknown): string {
	const code = errorCode(error);
	if (code === "ENOENT") return "there is no such file";
	if (code === "EACCES" || code === "EPERM") return "permission denied";
	if (code === "EISDIR") return "it is a folder";
	if (code === "ENOTDIR") return "a part of its path is no folder";
	return code ?? "reading failed";
}

function errorCode(error: unknown): string | undefined {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
