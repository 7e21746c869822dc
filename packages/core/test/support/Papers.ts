/**
 * The rules that the tidy test applies to what is not source: law tests, ADRs, fixtures.
 *
 * Like the rules for sources these are pure functions, here over lists of paths
 * and texts, so that the test can plant a violation.
 */
import * as NodePath from "node:path"
import { nounOf } from "./Floors.ts"
import type { SourceFile } from "./SourceTree.ts"

export const laws: ReadonlyArray<string> = Array.from({ length: 19 }, (_, index) => `L${index + 1}`)

/**
 * Every law has a test file of its name. `notYet` are the laws that have none so
 * far: the list must shrink, so naming a law that has a file is a violation too.
 */
export const lawsHaveTests = (testFiles: ReadonlyArray<string>, notYet: ReadonlySet<string>): ReadonlyArray<string> => [
  ...laws.flatMap((law) => {
    const files = testFiles.filter((name) => name.startsWith(`${law}-`) && name.endsWith(".test.ts"))
    if (files.length === 0) return notYet.has(law) ? [] : [`${law} has no test: write test/laws/${law}-*.test.ts`]
    return notYet.has(law) ? [`${law} has the test ${files.join(", ")}: take it off the list of laws without one`] : []
  }),
  ...testFiles
    .filter((name) => !laws.includes(name.split("-")[0] ?? ""))
    .map((name) => `test/laws/${name} names no law: L1 to L${laws.length} are known`),
  ...[...notYet]
    .filter((law) => !laws.includes(law))
    .map((law) => `${law} is on the list of laws without a test, and is no law`)
]

const adrSections = ["Context", "Decision", "Options considered", "Consequences"]

/** ADRs are numbered without gaps and have Nygard's form; who supersedes is named by the superseded, and back. */
export const adrsAreInOrder = (adrs: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(adrs)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, text], index) => {
      const number = String(index + 1).padStart(4, "0")
      if (!name.startsWith(`${number}-`)) return [`docs/adr/${name} is out of order: number ${number} is next`]
      return [
        ...(text.startsWith(`# ${index + 1}. `) ? [] : [`docs/adr/${name} must begin with '# ${index + 1}. '`]),
        ...(/^Date: \d{4}-\d{2}-\d{2}$/m.test(text) ? [] : [`docs/adr/${name} has no line 'Date: YYYY-MM-DD'`]),
        ...(/^Status: (Proposed|Accepted|Superseded by|Rejected)/m.test(text)
          ? []
          : [`docs/adr/${name} has no 'Status:'`]),
        ...adrSections
          .filter((section) => !text.includes(`\n## ${section}\n`))
          .map((section) => `docs/adr/${name} has no section '## ${section}'`),
        ...relationsOf(name, text, adrs)
      ]
    })

const relations = /^(Superseded by|Supersedes|Departs from|Departed from by|Refines|Refined by|Status: Superseded by) /

const relationsOf = (name: string, text: string, adrs: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  text
    .split("\n")
    .filter((line) => relations.test(line))
    .flatMap((line) => [...line.matchAll(/\((\d{4}-[^)]*\.md)\)/g)].map(([, other = ""]) => other))
    .filter((other) => adrs[other]?.includes(`(${name})`) !== true)
    .map((other) => `docs/adr/${name} names ${other}, which does not name it back`)

interface PackageJson {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, unknown>>
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> }
}

/** A library lets users import each public module by its name, and no internal one; published as in the repository. */
export const libraryExportsAreAlike = (json: PackageJson): ReadonlyArray<string> => {
  if (json.exports["."] === undefined) return []
  const sides: ReadonlyArray<readonly [string, PackageJson["exports"]]> = [
    ["exports", json.exports],
    ...(json.private === true ? [] : [["publishConfig.exports", json.publishConfig?.exports ?? {}] as const])
  ]
  return sides.flatMap(([side, exports]) => [
    ...(exports["./*"] === undefined ? [`${json.name}: ${side} lacks './*': modules are imported by name`] : []),
    ...(exports["./internal/*"] !== null
      ? [`${json.name}: ${side} lacks '"./internal/*": null': internals are private`]
      : [])
  ])
}

/** The architecture document names every file of core under the floor that it is on, and none that is gone. */
export const architectureNamesFiles = (document: string, paths: ReadonlyArray<string>): ReadonlyArray<string> => {
  const section = document.split("\n## ").find((text) => text.startsWith("Role to file")) ?? ""
  const named = new Set([...section.matchAll(/`([A-Z]\w*)`/g)].map(([, name = ""]) => name))
  const present = new Set(paths.map(nounOf))
  return [
    ...[...present]
      .filter((name) => !named.has(name))
      .map((name) => `docs/ARCHITECTURE.md does not say what ${name} is`),
    ...[...named]
      .filter((name) => !present.has(name))
      .map((name) => `docs/ARCHITECTURE.md names ${name}, which is gone`)
  ]
}

/** Links of documents to files lead somewhere. */
export const linksResolve = (
  documents: Readonly<Record<string, string>>,
  exists: (path: string) => boolean
): ReadonlyArray<string> =>
  Object.entries(documents).flatMap(([document, text]) =>
    [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !exists(NodePath.posix.join(NodePath.posix.dirname(document), target)))
      .map((target) => `${document} links to ${target}, which is not there`)
  )

/** What comments cite exists: records as `ADR 9`, laws as `L7`. */
export const citationsExist = (files: ReadonlyArray<SourceFile>, adrCount: number): ReadonlyArray<string> =>
  files.flatMap(({ path, text }) => [
    ...[...text.matchAll(/\bADR (\d+)\b/g)]
      .filter(([, number]) => Number(number) < 1 || Number(number) > adrCount)
      .map(([cited]) => `${path} cites ${cited}: there are ${adrCount} records`),
    ...[...text.matchAll(/\bL([1-9]\d*)\b/g)]
      .filter(([, number]) => Number(number) > laws.length)
      .map(([cited]) => `${path} cites ${cited}: there are ${laws.length} laws`),
    ...[...text.matchAll(/\bdecision \d+/g)].map(([cited]) => `${path} cites '${cited}': cite the record, as ADR 9`)
  ])

/**
 * Every fixture is read by a test. A fixture is a file or folder one level below
 * a folder of fixtures: `fixtures/stores/basic`. A test reads it by its name, or
 * reads all of its folder by a computed name (`stores/${name}`).
 */
export const fixturesAreRead = (
  fixtures: ReadonlyArray<string>,
  tests: ReadonlyArray<SourceFile>
): ReadonlyArray<string> => {
  const strings = tests.flatMap((file) => file.strings)
  return fixtures
    .filter((path) => {
      const [folder = "", name = ""] = path.split("/").slice(-2)
      const stem = name.replace(/\.[a-z0-9]+$/, "")
      return !strings.some((text) => text.split(/[/.]/).includes(stem) || text.endsWith(`${folder}/`))
    })
    .map((path) => `${path} is read by no test: delete it`)
}
