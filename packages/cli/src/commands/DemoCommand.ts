/**
 * `slate demo`: shows the engine at work on real data. The acts are in `demo/`.
 */
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { Command, Flag } from "effect/cli"
import * as Cities from "../demo/Cities.ts"
import * as CountedStore from "../demo/CountedStore.ts"
import * as Demo from "../demo/Demo.ts"
import * as DemoDirectory from "../demo/DemoDirectory.ts"
import * as Problem from "../Problem.ts"
import * as Screen from "../Screen.ts"
import * as StoreUrl from "../StoreUrl.ts"

/** Shows the engine at work on real data, and leaves the database to be explored. */
export const demo = Command.make(
  "demo",
  {
    dir: Flag.String("dir").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Directory for the databases; made anew each time"),
      Flag.withDefault(".demo")
    ),
    records: Flag.Int("records").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Load only the first cities of the data"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ dir, records }) {
    const directory = yield* DemoDirectory.make(dir)
    const store = StoreUrl.print({ _tag: "File", root: directory })
    const all = yield* Cities.load
    const cities = all.slice(0, Option.getOrUndefined(records))
    yield* Screen.lines(
      "effect-slatedb: SlateDB's engine on Effect, here in a plain directory",
      "",
      `   data   ${all.length.toLocaleString("en-US")} cities of the world,`,
      `          ${Cities.attribution}`,
      `   store  ${store}`
    )
    const counts = CountedStore.noRequests()
    const files = yield* FileObjectStore.make({ root: directory })
    const acts = Effect.gen(function* () {
      yield* Demo.loadCities(cities)
      yield* Demo.readCities(cities)
      yield* Demo.showDurability
      // The writer's requests are made by its own process, which counts none.
      yield* Effect.provideService(
        Demo.killWriter({ store, killAfter: Math.min(3000, cities.length) }),
        ObjectStore,
        files
      )
      return yield* Demo.drawTree
    })
    const bytes = yield* Effect.provideService(acts, ObjectStore, CountedStore.make(files, counts))
    yield* Demo.showCost(counts, bytes)
    yield* farewell(directory)
  }, Problem.catchAll)
).pipe(Command.withDescription("Show the engine at work on real data, and leave the database to explore"))

const farewell = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path
  const relative = path.relative(process.cwd(), directory)
  const root = relative.startsWith("..") ? directory : relative
  yield* Screen.lines(
    "",
    "The database is yours to explore:",
    "",
    `   export SLATE_STORE=file:${root} SLATE_DB=cities`,
    "   npx -y pnpm@12 slate get CH/Zürich",
    "   npx -y pnpm@12 slate scan --prefix IS/R --limit 5",
    "   npx -y pnpm@12 slate scan --prefix BR/ --count",
    '   npx -y pnpm@12 slate put CH/Nowhere "not on any map"',
    "   npx -y pnpm@12 slate tree",
    "   npx -y pnpm@12 slate verify",
    ""
  )
})
