import { assert, describe, it } from "@effect/vitest"
import { API } from "typescript/unstable/sync"
import { gaps, renderPage } from "../api-reference.ts"
import * as ApiModule from "../ApiModule.ts"

const config = "/api/tsconfig.json"

const extract = (text: string): ApiModule.ApiModule => {
  const files = new Map([
    [config, JSON.stringify({ compilerOptions: { noLib: true, types: [] }, files: ["Thing.ts", "Other.ts"] })],
    ["/api/Thing.ts", text],
    ["/api/Other.ts", `${doc("Declared elsewhere.")}export interface Other { readonly a: string }\n`]
  ])
  const api = new API({
    cwd: "/api",
    fs: {
      readFile: (path) => files.get(path) ?? null,
      fileExists: (path) => files.has(path),
      directoryExists: (path) => path === "/api",
      getAccessibleEntries: () => ({ files: [], directories: [] })
    }
  })
  const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
  const file = project?.program.getSourceFile("/api/Thing.ts")
  if (project === undefined || file === undefined) throw new Error("the compiler read nothing")
  return ApiModule.extract(file, project.checker)
}

const page = (text: string) => ({
  packageName: "@effect-slatedb/core",
  moduleName: "Thing",
  source: "packages/core/src/Thing.ts",
  module: extract(text)
})

const tags = "@stability unstable\n * @category models\n * @since 0.1.0"
const doc = (prose: string) => `/**\n * ${prose}\n *\n * ${tags}\n */\n`
const narrative = "/**\n * Things.\n *\n * @stability unstable\n * @since 0.1.0\n */\n"

describe("ApiModule", () => {
  it("shows signatures as they are written, without bodies", () => {
    const { exports } = extract(`import type { A } from "./A.ts"
export const f = <B extends A>(b: B, c = 1): boolean => c > 0
export const g: { (a: A): void } = () => {}
export const inferred = 1
export function h(a: A): string { return "" }
export interface I { readonly a: A }
export type T = A | undefined
export class E extends A<{ readonly a: string }> {
  readonly isRetryable: boolean = true
  readonly [Symbol.iterator] = 1
  get message(): string { return "" }
  get size(): number { return 1 }
  method(a: A): void {}
}
const hidden = 1
const delete_: { (key: string): void } = () => {}
export { delete_ as delete }
`)
    assert.deepStrictEqual(
      exports.map(({ signature }) => signature),
      [
        "const f: <B extends A>(b: B, c = 1) => boolean",
        "const g: { (a: A): void }",
        "const inferred: 1",
        "function h(a: A): string",
        "interface I { readonly a: A }",
        "type T = A | undefined",
        "class E extends A<{ readonly a: string }> {\n  readonly isRetryable: boolean\n  readonly size: number\n  method(a: A): void\n}",
        "const delete: { (key: string): void }"
      ]
    )
  })

  it("finds what is passed on where it is declared, with its doc comment", () => {
    const [other] = extract('export type { Other as Renamed } from "./Other.ts"\n').exports
    assert.strictEqual(other?.name, "Renamed")
    assert.strictEqual(other?.signature, "interface Other { readonly a: string }")
    assert.strictEqual(other?.doc?.prose, "Declared elsewhere.")
  })

  it("takes tags out of doc comments, but not out of their examples", () =>
    assert.deepStrictEqual(
      ApiModule.parseDoc("/**\n * What.\n *\n * ```ts\n * @decorated\n * ```\n * @since 0.1.0\n */"),
      {
        prose: "What.\n\n```ts\n@decorated\n```",
        tags: { since: ["0.1.0"] }
      }
    ))

  it("the first export's comment is not the module's narrative", () => {
    assert.isUndefined(extract(`${doc("A thing.")}export const a = 1\n`).narrative)
    assert.strictEqual(extract(`${narrative}\n${doc("A thing.")}export const a = 1\n`).narrative?.prose, "Things.")
    assert.strictEqual(extract(`${narrative}import "./A.ts"\n`).narrative?.prose, "Things.")
  })
})

describe("the API reference", () => {
  it("names every gap with its place", () => {
    const complete = `${narrative}\n${doc("A thing.")}export const a = 1\n`
    assert.isEmpty(gaps(page(complete)))
    assert.deepStrictEqual(gaps(page(complete.replace(" * @category models\n", ""))), [
      "packages/core/src/Thing.ts:14 a has no @category"
    ])
    assert.deepStrictEqual(gaps(page(complete.replace("A thing.", ""))), [
      "packages/core/src/Thing.ts:15 a has a doc comment that says nothing"
    ])
    assert.deepStrictEqual(gaps(page(`${narrative}import "./A.ts"\nexport const a = 1\n`)), [
      "packages/core/src/Thing.ts:8 a has no doc comment"
    ])
    assert.deepStrictEqual(gaps(page(`${narrative}import "./A.ts"\nexport * from "./Other.ts"\n`)), [
      'packages/core/src/Thing.ts:8 export * from "./Other.ts" has no doc comment'
    ])
    assert.deepStrictEqual(gaps(page("export {}\n")), ["packages/core/src/Thing.ts:1 the module has no doc comment"])
  })

  it("writes exports by category, in the order of the source", () => {
    const rendered = renderPage(
      page(`${narrative}\n${doc("See {@link b}.")}export const a = 1\n${doc("B.")}export const b = 2\n`)
    )
    assert.include(rendered, "\n\nThings.\n\nSource: [packages/core/src/Thing.ts]")
    assert.include(
      rendered,
      "## models\n\n### a\n\n```ts\nconst a: 1\n```\n\nSee `b`.\n\n*Since 0.1.0, unstable*\n\n### b\n"
    )
  })
})
