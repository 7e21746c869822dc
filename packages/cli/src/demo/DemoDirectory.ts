/**
 * The directory that the demo leaves its databases in, and makes anew each time.
 * It deletes only what an earlier demo made: a directory with the demo's mark.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Problem from "../Problem.ts"

const mark = "MADE-BY-SLATE-DEMO"

/** An empty directory with the mark, as an absolute path. */
export const make = Effect.fnUntraced(function* (name: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const directory = (yield* Path.Path).resolve(name)
  if (yield* fileSystem.exists(directory)) {
    const entries = yield* fileSystem.readDirectory(directory)
    if (entries.length > 0 && !entries.includes(mark)) {
      return yield* Problem.usage(`${directory} is not a directory of the demo`, "give an empty one with --dir")
    }
    yield* fileSystem.remove(directory, { recursive: true })
  }
  yield* fileSystem.makeDirectory(directory, { recursive: true })
  yield* fileSystem.writeFileString(`${directory}/${mark}`, "slate demo deletes this directory when it runs again.\n")
  return directory
})
