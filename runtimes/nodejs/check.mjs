// Says whether files are JavaScript, for `brume function watch`: reads paths within the folder that it was given, a line each,
// and at an empty line answers with a line "FILE:LINE: what is wrong" for each that is not, then an empty one. Nothing of the
// files is run.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import vm from "node:vm";

const root = process.argv[2];

/** Whether Node.js takes a file for a module ("Packages", "Determining module system"). */
function isModule(path) {
    if (path.endsWith(".mjs")) return true;
    if (path.endsWith(".cjs")) return false;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
        const description = join(root, folder, "package.json");
        if (existsSync(description)) {
            try {
                const { type } = JSON.parse(readFileSync(description, "utf8"));
                if (type) return type === "module";
            } catch {
                // The program itself will say so.
            }
            break;
        }
        if (folder === dirname(folder)) break;
    }
    return null;
}

const names = ["exports", "require", "module", "__filename", "__dirname"];
const asScript = (source, filename) => vm.compileFunction(source, names, { filename });
const asModule = (source, identifier) => new vm.SourceTextModule(source, { identifier });

function parse(source, path) {
    const module = isModule(path);
    if (module === true) return asModule(source, path);
    if (module === false) return asScript(source, path);
    // Where nothing says which it is, either will do.
    try {
        return asScript(source, path);
    } catch (error) {
        try {
            return asModule(source, path);
        } catch {
            throw error;
        }
    }
}

/** The problem of one file; undefined: it has none, or is gone. */
function check(path) {
    let source;
    try {
        source = readFileSync(join(root, path), "utf8").replace(/^#!.*/, "");
    } catch {
        return undefined;
    }
    try {
        parse(source, path);
        return undefined;
    } catch (error) {
        const line = /:(\d+)\n/.exec(`${error.stack}`)?.[1] ?? 1;
        return `${path}:${line}: ${error.message}`.replaceAll("\n", " ");
    }
}

let problems = [];
for await (const path of createInterface({ input: process.stdin })) {
    if (path !== "") {
        problems.push(check(path));
        continue;
    }
    process.stdout.write(`${problems.filter(Boolean).map((problem) => `${problem}\n`).join("")}\n`);
    problems = [];
}
