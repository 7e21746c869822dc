/**
 * `slate manifest`: lists the manifests that are there, or prints one.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Argument, Command } from "effect/cli"
import type * as Admin from "@effect-slatedb/core/Admin"
import * as Figures from "../Figures.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TextTable from "../TextTable.ts"

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    yield* Target.withAdmin(
      Effect.fnUntraced(function* (admin) {
        const ids = yield* admin.manifestIds
        const manifests = yield* Effect.forEach(ids, (id) => admin.manifest(id), { concurrency: 8 })
        const summaries = manifests.map(({ id, manifest }) => summary(id, manifest))
        yield* JsonOutput.write(summaries, () =>
          Screen.lines(
            ...TextTable.render(
              Object.keys(summary(0, empty)).map((title) => ({ title, align: "right" as const })),
              summaries.map((row) => Object.values(row).map(Figures.count))
            )
          )
        )
      })
    )
  }, Problem.catchAll)
).pipe(Command.withDescription("List the manifests that are there"))

const show = Command.make(
  "show",
  { id: Argument.Int("id").pipe(Argument.withDescription("Default: the latest"), Argument.optional) },
  Effect.fnUntraced(function* ({ id }) {
    yield* Target.withAdmin(
      Effect.fnUntraced(function* (admin) {
        const found = yield* admin.manifest(Option.getOrUndefined(id))
        const shown = { id: found.id, ...found.manifest }
        yield* JsonOutput.write(shown, () => Screen.lines(JSON.stringify(shown, JsonOutput.plain, 2)))
      })
    )
  }, Problem.catchAll)
).pipe(Command.withDescription("Print a manifest as JSON"))

export const manifest = Command.make("manifest").pipe(
  Command.withDescription("Look at manifests"),
  Command.withSubcommands([list, show])
)

type Summarized = Pick<
  Admin.Manifest,
  "writerEpoch" | "compactorEpoch" | "replayAfterWalId" | "lastL0Sequence" | "l0" | "runs" | "checkpoints"
>

const empty: Summarized = {
  writerEpoch: 0,
  compactorEpoch: 0,
  replayAfterWalId: 0,
  lastL0Sequence: 0,
  l0: [],
  runs: [],
  checkpoints: []
}

const summary = (id: number, manifest: Summarized) => ({
  id,
  epoch: manifest.writerEpoch,
  compactor: manifest.compactorEpoch,
  wal: manifest.replayAfterWalId,
  sequence: manifest.lastL0Sequence,
  l0: manifest.l0.length,
  runs: manifest.runs.length,
  checkpoints: manifest.checkpoints.length
})
