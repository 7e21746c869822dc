/**
 * The tidy test: what reviewers would otherwise have to say again and again.
 *
 * Every rule is applied to the repository, and once to a planted violation, so
 * that a rule which stopped seeing anything is noticed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Papers from "./support/Papers.ts"
import * as SourceTree from "./support/SourceTree.ts"
import * as Tidy from "./support/Tidy.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** Laws whose test is still to be written. This list only ever gets shorter. */
const lawsWithoutTest: ReadonlySet<string> = new Set(["L14"])

const packages = NodeFs.readdirSync(NodePath.join(root, "packages"))
const read = (folder: string) =>
  SourceTree.parse(
    Object.assign({}, ...packages.map((name) => SourceTree.readSources(root, `packages/${name}/${folder}`)))
  )

const namesIn = (folder: string): ReadonlyArray<string> => {
  const absolute = NodePath.join(root, folder)
  return NodeFs.existsSync(absolute) ? NodeFs.readdirSync(absolute).toSorted() : []
}

const none = (violations: ReadonlyArray<string>): void =>
  assert.strictEqual(violations.length, 0, `\n  ${violations.join("\n  ")}\n`)

describe("sources", () => {
  const sources = read("src")
  const core = sources.filter((file) => file.path.startsWith("packages/core/"))

  /** Applies a rule to the repository, and to `planted`, in which it must find something. */
  const rule = (
    name: string,
    check: Tidy.Rule,
    planted: SourceTree.Sources,
    files: ReadonlyArray<SourceTree.SourceFile> = sources
  ) =>
    describe(name, () => {
      it("holds", () => none(check(files)))
      it("would be noticed if it did not hold", () => assert.isNotEmpty(check(SourceTree.parse(planted))))
    })

  it("are found", () => {
    assert.isAbove(core.length, 20)
    assert.isAbove(core.flatMap((file) => file.functions).length, 100)
    assert.isAbove(core.flatMap((file) => file.imports).length, 100)
  })

  rule("every file of core stands on a floor", Tidy.everyFileHasAFloor, {
    "packages/core/src/internal/cellar/Block.ts": ""
  })

  describe("imports point down the stairs", () => {
    it("holds", () => none(Tidy.importsPointDown(sources)))

    const planted = (from: string, importing: string) =>
      Tidy.importsPointDown(SourceTree.parse({ [`packages/core/src/${from}`]: importing }))

    it.each([
      ["internal/model/Row.ts", 'import * as Block from "../format/Block.ts"'],
      ["internal/format/Block.ts", 'import type { Cursor } from "../lsm/Cursor.ts"'],
      ["internal/lsm/Merge.ts", 'import * as Block from "../format/Block.ts"'],
      ["internal/lsm/Merge.ts", 'import * as Settings from "../../Settings.ts"'],
      ["internal/store/WalStore.ts", 'import { Step } from "../lsm/KWayMerge.ts"'],
      ["internal/read/RangeScan.ts", 'export * from "../task/StateCell.ts"'],
      ["internal/task/Task.ts", 'import type { Db } from "../../Db.ts"'],
      ["ObjectStore.ts", 'import * as WalStore from "./internal/store/WalStore.ts"'],
      ["Compression.ts", 'import * as Block from "./internal/format/Block.ts"'],
      ["Compression.ts", 'const block = import("./internal/format/Block.ts")']
    ])("%s may not say %s", (from, importing) => assert.lengthOf(planted(from, importing), 1))

    it.each([
      ["internal/format/Block.ts", 'import * as Row from "../model/Row.ts"'],
      ["internal/store/WalStore.ts", 'import { Step } from "../lsm/Cursor.ts"'],
      ["Compression.ts", 'import { type Block } from "./internal/format/Block.ts"'],
      ["Compression.ts", 'import * as Checksum from "./internal/format/Checksum.ts"'],
      ["Db.ts", 'import * as Task from "./internal/task/Task.ts"']
    ])("%s may say %s", (from, importing) => assert.isEmpty(planted(from, importing)))
  })

  rule("no task imports another task", Tidy.tasksAreStrangers, {
    "packages/core/src/internal/task/WalFlushTask.ts": 'import type { Flush } from "./MemtableFlushTask.ts"'
  })

  describe("packages see only each other's public modules", () => {
    it("holds", () => none(Tidy.packagesUsePublicModules(sources)))
    it.each([
      'import * as Block from "@effect-slatedb/core/internal/format/Block"',
      'import * as Block from "../../core/src/internal/format/Block.ts"',
      'import { Db } from "@effect-slatedb/core"'
    ])("%s would be noticed", (text) =>
      assert.lengthOf(Tidy.packagesUsePublicModules(SourceTree.parse({ "packages/cli/src/Get.ts": text })), 1)
    )
  })

  rule("nobody imports a barrel", Tidy.noBarrels, { "packages/cli/src/Get.ts": 'import { Effect } from "effect"' })

  rule("model, format and lsm are free of effects", Tidy.pureFloorsHaveNoEffects, {
    "packages/core/src/internal/lsm/Merge.ts": 'import type * as Effect from "effect/Effect"'
  })

  rule("core imports nothing but Effect and itself", Tidy.coreImportsOnlyEffect, {
    "packages/core/src/Compression.ts": 'import * as Zlib from "node:zlib"'
  })

  describe("only the task floor forks", () => {
    it("holds", () => none(Tidy.onlyTasksFork(sources)))
    it.each([
      'import * as Queue from "effect/Queue"',
      "const upload = Effect.forkScoped(work)",
      "const answer = Effect.runSync(work)",
      "const upload = work.pipe(Effect.forkDetach)"
    ])("%s would be noticed", (text) =>
      assert.lengthOf(Tidy.onlyTasksFork(SourceTree.parse({ "packages/core/src/internal/store/WalStore.ts": text })), 1)
    )
  })

  describe("time, chance and the outside world come in through services", () => {
    it("holds", () => none(Tidy.coreCallsNothingGlobal(sources)))
    it.each([
      "export const now = () => Date.now()",
      "export const now = () => new Date()",
      "export const now = globalThis.performance.now()",
      "export const dice = Math.random",
      "export const id = crypto.randomUUID()",
      "setTimeout(() => {}, 1)",
      'console.log("here")',
      'const answer = fetch("https://example.org")'
    ])("%s would be noticed", (text) =>
      assert.lengthOf(
        Tidy.coreCallsNothingGlobal(SourceTree.parse({ "packages/core/src/internal/task/Task.ts": text })),
        1
      )
    )
    it("what a file declares itself is its own", () =>
      assert.isEmpty(
        Tidy.coreCallsNothingGlobal(
          SourceTree.parse({ "packages/core/src/internal/task/Task.ts": "const fetch = () => 1; fetch(); a.fetch()" })
        )
      ))
  })

  describe("nothing is too long", () => {
    it("holds", () => none(Tidy.nothingIsTooLong(sources)))

    const code = (lines: number) => "call()\n".repeat(lines)
    const violations = (text: string) => Tidy.nothingIsTooLong(SourceTree.parse({ "packages/core/src/Db.ts": text }))

    it("a file of 400 lines of code is allowed, one of 401 is not", () => {
      assert.isEmpty(violations(code(400)))
      assert.lengthOf(violations(code(401)), 1)
    })
    it("a function of 70 lines of code is allowed, one of 71 is not", () => {
      assert.isEmpty(violations(`const f = () => {\n${code(68)}}\n`))
      assert.lengthOf(violations(`const f = () => {\n${code(69)}}\n`), 1)
    })
    it("a function inside another counts for itself, and one line for the other", () => {
      const inner = `const g = () => {\n${code(68)}}\n`
      assert.isEmpty(violations(`const f = () => {\n${code(67)}${inner}}\n`))
      assert.lengthOf(violations(`const f = () => {\n${code(68)}${inner}}\n`), 1)
    })
    it("comments and empty lines are free, text that looks like them is not", () => {
      assert.isEmpty(violations(code(400) + "\n// why\n/*\n why\n*/\n"))
      assert.lengthOf(violations(code(399) + "const text = `\n// a line\n/* and\n another`"), 1)
    })
  })

  describe("nobody imports in a circle", () => {
    it("holds", () => none(Tidy.noCycles(sources)))
    it("a circle of three files is told once, with its members", () =>
      assert.deepStrictEqual(
        Tidy.noCycles(
          SourceTree.parse({
            "packages/cli/src/A.ts": 'import "./B.ts"',
            "packages/cli/src/B.ts": 'import "./C.ts"',
            "packages/cli/src/C.ts": 'import type { A } from "./A.ts"'
          })
        ),
        ["packages/cli/src/A.ts imports itself in a circle: A -> B -> C -> A"]
      ))
  })

  rule("barrels are complete", Tidy.barrelsAreComplete, {
    "packages/core/src/index.ts": 'export * as Db from "./Db.ts"',
    "packages/core/src/Db.ts": "",
    "packages/core/src/Settings.ts": ""
  })
  rule("modules open with prose", Tidy.modulesOpenWithProse, { "packages/cli/src/Get.ts": "const a = 1" })
  rule("no private file is dead", Tidy.noDeadFiles, { "packages/core/src/internal/lsm/Merge.ts": "" })
  rule("names say something", Tidy.namesSaySomething, { "packages/core/src/internal/lsm/Utils.ts": "" })
  rule("types are not forced", Tidy.typesAreNotForced, {
    "packages/cli/src/Get.ts": "const x = y as unknown as string"
  })
  rule("lint is switched off only with a reason", Tidy.disabledLintHasReasons, {
    "packages/cli/src/Get.ts": "// oxlint-disable-next-line no-console"
  })
  rule("files are nouns", Tidy.filesAreNouns, { "packages/core/src/internal/lsm/kWayMerge.ts": "" })
})

describe("packages", () => {
  const json = (name: string) =>
    JSON.parse(NodeFs.readFileSync(NodePath.join(root, "packages", name, "package.json"), "utf8"))

  it("export their public modules and hide their internal ones", () =>
    none(packages.flatMap((name) => Papers.libraryExportsAreAlike(json(name)))))

  it("one that hides nothing, or differs once published, would be noticed", () => {
    const exports = { ".": "./src/index.ts", "./*": "./src/*.ts", "./internal/*": null }
    assert.isEmpty(Papers.libraryExportsAreAlike({ name: "a", exports, publishConfig: { exports } }))
    assert.lengthOf(Papers.libraryExportsAreAlike({ name: "a", exports }), 2)
    assert.lengthOf(Papers.libraryExportsAreAlike({ name: "a", private: true, exports: { ".": "", "./*": "" } }), 1)
  })
})

describe("laws", () => {
  it("have a test file each", () => none(Papers.lawsHaveTests(namesIn("packages/core/test/laws"), lawsWithoutTest)))

  it("a missing test, a stale entry of the list and an unknown law would be noticed", () => {
    const all = Papers.laws.map((law) => `${law}-some-words.test.ts`)
    assert.isEmpty(Papers.lawsHaveTests(all, new Set()))
    assert.lengthOf(Papers.lawsHaveTests(all.slice(1), new Set()), 1)
    assert.isEmpty(Papers.lawsHaveTests(all.slice(1), new Set(["L1"])))
    assert.lengthOf(Papers.lawsHaveTests(all, new Set(["L1"])), 1)
    assert.lengthOf(Papers.lawsHaveTests([...all, "L20-unheard.test.ts"], new Set()), 1)
  })
})

describe("decision records", () => {
  const adrs = Object.fromEntries(
    namesIn("docs/adr")
      .filter((name) => /^\d/.test(name))
      .map((name) => [name, NodeFs.readFileSync(NodePath.join(root, "docs/adr", name), "utf8")])
  )

  it("are numbered without gaps and have all their sections", () => {
    assert.isNotEmpty(Object.keys(adrs))
    none(Papers.adrsAreInOrder(adrs))
  })

  it("are cited by numbers that exist", () => {
    none(Papers.citationsExist(read("src"), Object.keys(adrs).length))
    const planted = SourceTree.parse({ "a.ts": "// ADR 3, ADR 40, L7, L0, L20, decision 4" })
    assert.lengthOf(Papers.citationsExist(planted, 31), 3)
  })

  it("a gap, a missing section and a one-sided supersession would be noticed", () => {
    const sections = "\n## Context\n\n## Decision\n\n## Options considered\n\n## Consequences\n"
    const adr = (number: number, status = "Accepted") =>
      `# ${number}. Title\n\nDate: 2026-11-23\n\nStatus: ${status}\n${sections}`
    assert.isEmpty(Papers.adrsAreInOrder({ "0001-a.md": adr(1), "0002-b.md": adr(2) }))
    assert.lengthOf(Papers.adrsAreInOrder({ "0001-a.md": adr(1), "0003-b.md": adr(3) }), 1)
    assert.lengthOf(Papers.adrsAreInOrder({ "0001-a.md": adr(1).replace("## Context\n", "") }), 1)
    assert.lengthOf(
      Papers.adrsAreInOrder({ "0001-a.md": adr(1, "Superseded by [2](0002-b.md)"), "0002-b.md": adr(2) }),
      1
    )
  })
})

describe("documents", () => {
  const documents = Object.fromEntries(
    [...namesIn("."), ...SourceTree.listFiles(root, "docs", () => true)]
      .filter((path) => path.endsWith(".md"))
      .map((path) => [path, NodeFs.readFileSync(NodePath.join(root, path), "utf8")])
  )

  it("have no dead links", () => {
    assert.isNotEmpty(Object.keys(documents))
    none(Papers.linksResolve(documents, (path) => NodeFs.existsSync(NodePath.join(root, path))))
    const planted = { "docs/a.md": "[b](b.md#part) [c](../c.md) [d](https://example.org) [gone](gone.md)" }
    const known = new Set(["docs/b.md", "c.md"])
    assert.deepStrictEqual(
      Papers.linksResolve(planted, (path) => known.has(path)),
      ["docs/a.md links to gone.md, which is not there"]
    )
  })

  it("the architecture says what every file of core is", () => {
    const paths = SourceTree.listFiles(root, "packages/core/src", (path) => !path.endsWith("/index.ts"))
    none(Papers.architectureNamesFiles(documents["docs/ARCHITECTURE.md"] ?? "", paths))
    const planted = "# A\n\n## Role to file\n\n`Db` `Gone`\n\n## State\n\n`Other`"
    assert.lengthOf(Papers.architectureNamesFiles(planted, ["src/Db.ts", "src/internal/lsm/Unsaid.ts"]), 2)
  })
})

describe("fixtures", () => {
  const tests = read("test")
  const fixtures = packages.flatMap((name) =>
    namesIn(`packages/${name}/test/fixtures`)
      .filter((folder) => !folder.includes("."))
      .flatMap((folder) =>
        namesIn(`packages/${name}/test/fixtures/${folder}`).map(
          (fixture) => `packages/${name}/test/fixtures/${folder}/${fixture}`
        )
      )
  )

  it("are all read by a test", () => {
    assert.isNotEmpty(fixtures)
    none(Papers.fixturesAreRead(fixtures, tests))
  })

  it("an unread one would be noticed", () => {
    const test = SourceTree.parse({
      "a.test.ts": 'read("fixtures/stores/basic"); read(`fixtures/goldens/${name}`)'
    })
    const paths = ["fixtures/stores/basic", "fixtures/goldens/wal.hex", "fixtures/stores/forgotten"]
    assert.deepStrictEqual(Papers.fixturesAreRead(paths, test), [
      "fixtures/stores/forgotten is read by no test: delete it"
    ])
  })

  it("a database and what is expected of it come in pairs", () => {
    const names = (folder: string) => namesIn(`packages/core/test/fixtures/${folder}`).map((name) => name.split(".")[0])
    assert.deepStrictEqual(names("stores"), names("expected"))
  })
})
