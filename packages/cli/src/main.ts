#!/usr/bin/env node
/**
 * Starts the `slate` command. Most of the time of a short command is that of compiling its modules: Node keeps the
 * result for the next one, in the directory for temporary files (`NODE_COMPILE_CACHE`, `NODE_DISABLE_COMPILE_CACHE`).
 * What is imported here statically would come too early for it.
 */
import * as Module from "node:module"

// Since Node 22.8.
Module.enableCompileCache?.()
await import("./Program.ts")
