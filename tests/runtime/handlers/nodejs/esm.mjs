import { readFile } from "node:fs/promises";

const own = await readFile(new URL(import.meta.url), "utf8"); // top-level await

export const handler = async () => own.includes("top-level await");
