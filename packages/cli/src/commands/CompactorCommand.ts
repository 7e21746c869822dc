/**
 * `slate compactor`: compacts a database from a process of its own, until it is stopped or nothing is left.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as DbError from "@effect-slatedb/core/DbError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Command, Flag } from "effect/cli"
import * as CompactionText from "../CompactionText.ts"
import * as CompactorWatch from "../CompactorWatch.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

/** Carries out what the size-tiered policy chooses. */
export const compactor = Command.make(
  "compactor",
  {
    once: Flag.Boolean("once").pipe(
      Flag.withDefault(false),
      Flag.withDescription("End when nothing is left to compact, not at Ctrl-C")
    ),
    minSources: Flag.Int("min-sources").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Merge at least so many tables of level 0, or runs, at a time; default 4"),
      Flag.optional
    ),
    maxSources: Flag.Int("max-sources").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("And at most so many; default 8"),
      Flag.optional
    ),
    includeSizeThreshold: Flag.Finite("include-size-threshold").pipe(
      Flag.withMetavar("FACTOR"),
      Flag.withDescription("A run joins newer ones while it is at most so many times the smallest; default 4"),
      Flag.optional
    ),
    sizeAmplificationAtRest: Flag.Finite("size-amplification-at-rest").pipe(
      Flag.withMetavar("PART"),
      Flag.withDescription("At rest merge all when what is newer than the oldest run is more; default 0.5 of it"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ includeSizeThreshold, maxSources, minSources, once, sizeAmplificationAtRest }) {
    const policy = yield* sizeTiered({
      minSources: Option.getOrUndefined(minSources),
      maxSources: Option.getOrUndefined(maxSources),
      includeSizeThreshold: Option.getOrUndefined(includeSizeThreshold),
      sizeAmplificationAtRest: Option.getOrUndefined(sizeAmplificationAtRest)
    })
    const { path } = yield* Target.location
    const compacting = Target.asCompactor(
      policy,
      Effect.fnUntraced(function* (compactor) {
        if (!once) {
          const begun = Screen.note(`compacting ${path}; Ctrl-C stops, and loses nothing`)
          return yield* CompactorWatch.during(compactor, path, Effect.andThen(begun, compactor.closed))
        }
        yield* CompactorWatch.during(compactor, path, compactor.untilIdle)
        const { bytesCompacted, completed } = yield* compactor.status
        yield* JsonOutput.write({ completed, bytesCompacted }, () =>
          Screen.lines(`nothing is left to compact: ${CompactionText.sum({ bytesCompacted, completed })}`)
        )
      })
    )
    yield* Target.withStore(compacting)
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Compact from a process of its own; every other compactor of the database stops"),
  Command.withExamples([
    { command: "slate compactor", description: "Beside a writer with compactorEnabled=false, until Ctrl-C" },
    { command: "slate compactor --once --settings slate.json", description: "With the settings of the writer" }
  ])
)

/** Options out of bounds are told by the names of their flags. */
const sizeTiered = (options: CompactionPolicy.SizeTieredOptions) =>
  Effect.try({
    try: () => CompactionPolicy.sizeTiered(options),
    catch: (error) =>
      DbError.isDbError(error) && error.reason._tag === "Invalid"
        ? Problem.usage(`${flagOf(error.reason.field)}: ${error.reason.detail}`)
        : Problem.from(error)
  })

/** `sizeTiered.minSources` is `--min-sources`. */
const flagOf = (field: string): string =>
  `--${field.replace(/^.*\./, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
