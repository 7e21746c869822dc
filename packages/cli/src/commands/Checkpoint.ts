/**
 * `slate checkpoint`: keeps moments of the database, and lets them go.
 */
import * as Checkpoint from "@effect-slatedb/core/Checkpoint"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Argument, Command, Flag } from "effect/cli"
import * as DurationFlag from "../DurationFlag.ts"
import * as Figures from "../Figures.ts"
import * as JsonOutput from "../JsonOutput.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as Target from "../Target.ts"
import * as TextTable from "../TextTable.ts"

const lifetime = DurationFlag.make("lifetime", "How long it is kept, as 1d or 90m; default: for ever")

const id = Argument.String("id").pipe(Argument.withDescription("Its UUID, as list prints it"))

const create = Command.make(
  "create",
  {
    name: Flag.String("name").pipe(Flag.withDescription("What it is for"), Flag.optional),
    lifetime,
    source: Flag.String("source").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription("Keep what this checkpoint keeps; default: the present"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ lifetime, name, source }) {
    const given = {
      name: Option.getOrUndefined(name),
      source: Option.getOrUndefined(source),
      lifetime: yield* DurationFlag.parse("lifetime", lifetime)
    }
    yield* show(yield* withCheckpoints((checkpoints) => checkpoints.create(given)))
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Keep the present, as far as it is stored, or what another checkpoint keeps"),
  Command.withExamples([{ command: "slate checkpoint create --name backup --lifetime 1d", description: "For a day" }])
)

const refresh = Command.make(
  "refresh",
  { id, lifetime },
  Effect.fnUntraced(function* ({ id, lifetime }) {
    const given = { lifetime: yield* DurationFlag.parse("lifetime", lifetime) }
    yield* show(yield* withCheckpoints((checkpoints) => checkpoints.refresh(id, given)))
  }, Problem.catchAll)
).pipe(Command.withDescription("Keep it for a lifetime from now on"))

const delete_ = Command.make(
  "delete",
  { id },
  Effect.fnUntraced(function* ({ id }) {
    yield* withCheckpoints((checkpoints) => checkpoints.delete(id))
  }, Problem.catchAll)
).pipe(Command.withDescription("Let it go; the collector takes what only it kept"))

const list = Command.make(
  "list",
  { name: Flag.String("name").pipe(Flag.withDescription("Only those of this name"), Flag.optional) },
  Effect.fnUntraced(function* ({ name }) {
    const given = { name: Option.getOrUndefined(name) }
    const found = yield* withCheckpoints((checkpoints) => checkpoints.list(given))
    yield* JsonOutput.write(found, () => table(found))
  }, Problem.catchAll)
).pipe(Command.withDescription("List what is kept"))

export const checkpoint = Command.make("checkpoint").pipe(
  Command.withDescription("Keep moments of the database: create, refresh, delete, list"),
  Command.withSubcommands([create, refresh, delete_, list])
)

const withCheckpoints = <A, E, R>(use: (checkpoints: Checkpoint.Checkpoints) => Effect.Effect<A, E, R>) =>
  Target.withStore(
    Effect.gen(function* () {
      const { path } = yield* Target.location
      return yield* use(yield* Checkpoint.make({ path }))
    })
  )

const show = (found: Checkpoint.Checkpoint) => JsonOutput.write(found, () => table([found]))

const table = (found: ReadonlyArray<Checkpoint.Checkpoint>) =>
  Screen.lines(
    ...TextTable.render(
      [
        { title: "id" },
        { title: "manifest", align: "right" as const },
        { title: "created" },
        { title: "expires" },
        { title: "name" }
      ],
      found.map(({ createTimeSeconds, expireTimeSeconds, id, manifestId, name }) => [
        id,
        Figures.count(manifestId),
        moment(createTimeSeconds),
        expireTimeSeconds === undefined ? "never" : moment(expireTimeSeconds),
        name ?? ""
      ]),
      Infinity
    )
  )

const moment = (seconds: number): string => `${new Date(1000 * seconds).toISOString().slice(0, 19)}Z`
