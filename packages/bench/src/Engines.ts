/**
 * The engines that can be measured, by the names of the command line.
 *
 * An engine is imported only in the process that measures it, so that no engine
 * pays for the memory or the threads of another.
 */
import type { Engine, Mode } from "./Engine.ts"
import { awaited } from "./Engine.ts"

export const names = ["uniffi", "ours", "level", "lmdb", "sqlite", "map", "null"] as const
export type Name = (typeof names)[number]

/**
 * Gives the named engine to `use`, which must not care what its pending answers are.
 */
export const withEngine = async <R>(
  name: Name,
  mode: Mode,
  use: <P extends object>(engine: Engine<P>) => R | Promise<R>
): Promise<R> => {
  if (name !== "ours") {
    const peer = await importPeer(name)
    return use(mode === "async" ? awaited(peer) : peer)
  }
  const ours = await import("./adapters/Ours.ts")
  switch (mode) {
    case "best":
      return use(ours.resident)
    case "fiber":
      return use(ours.inFiber)
    case "async":
      return use(ours.withPromises)
  }
}

const importPeer = async (name: Exclude<Name, "ours">): Promise<Engine<Promise<unknown>>> => {
  switch (name) {
    case "uniffi":
      return (await import("./adapters/Uniffi.ts")).engine
    case "level":
      return (await import("./adapters/Level.ts")).engine
    case "lmdb":
      return (await import("./adapters/Lmdb.ts")).engine
    case "sqlite":
      return (await import("./adapters/Sqlite.ts")).engine
    case "map":
      return (await import("./adapters/SortedMap.ts")).engine
    case "null":
      return (await import("./adapters/Null.ts")).engine
  }
}
