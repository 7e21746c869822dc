import { assert, describe, it } from "@effect/vitest"
import { check, collect } from "../doc-examples.ts"
import * as DocExamples from "../DocExamples.ts"

const fence = "```"

describe("DocExamples", () => {
  it("takes from Markdown the fences that are marked as runnable, with their lines", () => {
    const text = `# Title\n\n${fence}ts\nnot this one\n${fence}\n\n${fence}ts run\nconst x = 1\n${fence}\n`
    assert.deepStrictEqual(DocExamples.fromMarkdown("README.md", text), [
      { source: "README.md", line: 7, code: "const x = 1\n", runs: true }
    ])
  })

  it("takes from a module every TypeScript fence of its doc comments, and nothing from its code", () => {
    const text = [
      "/**",
      " * Narrative.",
      " *",
      ` * ${fence}ts`,
      " * const x = 1",
      " *   indented()",
      ` * ${fence}`,
      " */",
      "const text = `",
      `${fence}ts`,
      "not this one",
      fence,
      "`",
      "/**",
      ` * ${fence}ts run`,
      " * console.log(1) // => 1",
      ` * ${fence}`,
      " */",
      ""
    ].join("\n")
    assert.deepStrictEqual(DocExamples.fromModule("packages/core/src/Db.ts", text), [
      { source: "packages/core/src/Db.ts", line: 4, code: "const x = 1\n  indented()\n", runs: false },
      { source: "packages/core/src/Db.ts", line: 15, code: "console.log(1) // => 1\n", runs: true }
    ])
  })

  it("an example that is not closed is an error that names its place", () =>
    assert.throws(() => DocExamples.fromMarkdown("README.md", `${fence}ts run\n`), /file=README.md line=1/))

  it("translates the compiler's places and the runtime's into places of the document", () => {
    const example = { source: "docs/a.md", line: 10, code: "", runs: true }
    const file = DocExamples.fileName(example)
    assert.strictEqual(DocExamples.translate([example], `examples/${file}(2,5): error`), "docs/a.md:12:5: error")
    assert.strictEqual(DocExamples.translate([example], `at file:///x/${file}:3:1`), "at docs/a.md:13:1")
  })
})

describe("the examples of the documents", () => {
  const example = (code: string, runs: boolean): DocExamples.Example => ({ source: "README.md", line: 0, code, runs })
  const only = (code: string, runs = true): string => check([example(code, runs)]).join("\n")

  it("an example with a type error, a failure or another output would be noticed", () => {
    assert.include(only("const x: string = 1\n", false), "README.md:1:7")
    assert.include(only("throw new Error('no')\n"), "the example fails")
    assert.include(only("console.log(2) // => 1\n"), "prints something else")
    assert.strictEqual(only("console.log(1) // => 1\n"), "")
  })

  it("type-check, and those marked so run and print what they say", () => {
    const examples = collect()
    assert.isNotEmpty(examples.filter(({ source, runs }) => source === "README.md" && runs))
    assert.strictEqual(check(examples).join("\n"), "")
  })
})
