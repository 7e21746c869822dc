/**
 * A writer in a process of its own, killed without warning in the middle of its work.
 *
 *     demo          starts it, reads what it acknowledges, and kills it
 *     demo-writer   writes key after key, and tells of each when it is durable
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { Command, Flag } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"

export const keyOf = (number: number): string => `order/${String(number).padStart(7, "0")}`

/** How many writes wait for durability at a time: those of one WAL object. */
const inFlight = 500

/** For the demo only: not listed, and without an end of its own. */
export const command = Command.make(
  "demo-writer",
  { from: Flag.Int("from").pipe(Flag.withDefault(1)) },
  Effect.fnUntraced(function* ({ from }) {
    yield* Target.withWriter((db) =>
      Stream.range(from, Number.MAX_SAFE_INTEGER).pipe(
        Stream.mapEffect((number) => Effect.as(db.put(keyOf(number), `placed ${number}`), number), {
          concurrency: inFlight
        }),
        Stream.runForEachArray((numbers) => Screen.write(numbers.map((number) => `${number}\n`).join("")))
      )
    )
  }, Problem.catchAll)
).pipe(Command.unlisted)

/** Runs a writer until it has acknowledged this many, kills it, and answers with all that it acknowledged. */
export const run = Effect.fnUntraced(function* (options: {
  readonly store: string
  readonly db: string
  readonly killAfter: number
}) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  // This program again, from its sources or built.
  const args = [
    ...process.execArgv,
    process.argv[1] ?? "slate",
    "demo-writer",
    "--store",
    options.store,
    "--db",
    options.db
  ]
  const writer = yield* spawner.spawn(ChildProcess.make(process.execPath, args, { extendEnv: true, stderr: "inherit" }))
  const acknowledged: Array<number> = []
  let isKilled = false
  // What it acknowledged before it died is still in the pipe: read that to its end.
  yield* writer.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.suspend(() => {
        acknowledged.push(Number(line))
        if (isKilled || acknowledged.length < options.killAfter) return Effect.void
        isKilled = true
        // Whatever it is doing then: waiting for the tick, or in the middle of an upload.
        return Effect.andThen(
          Effect.flatMap(Random.nextIntBetween(0, 500), (millis) => Effect.sleep(millis)),
          writer.kill({ killSignal: "SIGKILL" })
        )
      })
    )
  )
  if (!isKilled) return yield* Problem.failure("the writer of the demo ended by itself", "see what it said above")
  return acknowledged
}, Effect.scoped)
