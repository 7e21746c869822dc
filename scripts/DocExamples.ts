/**
 * The examples that the documents contain, as programs.
 *
 * Two kinds of text hold them: Markdown, where a fence that begins with
 * "```ts run" is one, and the doc comments of public modules, where every
 * TypeScript fence is one. All are type-checked; those marked `run` are run, and
 * what they print must be what their `// => ...` comments say, line by line.
 *
 *     README.md, docs/**, doc comments ──> Example[] ──> files ──> compiler ──> node
 *
 * An example is a module: it imports what it uses, as a reader would have to.
 */

export interface Example {
  /** The file that holds it, from the root. */
  readonly source: string
  /** The line of the fence; its first line of code is the next one. Lines count from 1. */
  readonly line: number
  readonly code: string
  readonly runs: boolean
}

interface Line {
  readonly number: number
  readonly text: string
}

const fencePattern = /^```(\S*)\s*(.*)$/

const fences = (
  source: string,
  lines: ReadonlyArray<Line>,
  accept: (language: string, flags: string) => boolean
): ReadonlyArray<Example> => {
  const examples: Array<Example> = []
  let open: { readonly line: number; readonly accepted: boolean; readonly runs: boolean; code: string } | undefined
  for (const { number, text } of lines) {
    const fence = fencePattern.exec(text)
    if (open === undefined) {
      const [, language = "", flags = ""] = fence ?? []
      if (fence !== null) {
        open = { line: number, accepted: accept(language, flags), runs: flags.split(" ").includes("run"), code: "" }
      }
    } else if (text.startsWith("```")) {
      if (open.accepted) examples.push({ source, line: open.line, code: open.code, runs: open.runs })
      open = undefined
    } else {
      open.code += `${text}\n`
    }
  }
  if (open?.accepted === true) throw new Error(`the example is not closed: file=${source} line=${open.line}`)
  return examples
}

const numbered = (text: string): ReadonlyArray<Line> =>
  text.split("\n").map((line, index) => ({ number: index + 1, text: line }))

/** The fences of a Markdown file that are marked as runnable. */
export const fromMarkdown = (source: string, text: string): ReadonlyArray<Example> =>
  fences(source, numbered(text), (language, flags) => language === "ts" && flags.split(" ").includes("run"))

/** The TypeScript fences in the doc comments of a module. */
export const fromModule = (source: string, text: string): ReadonlyArray<Example> =>
  fences(source, docCommentLines(text), (language) => language === "ts" || language === "typescript")

/** The lines of all doc comments, without their stars. */
const docCommentLines = (text: string): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  let inside = false
  for (const { number, text: line } of numbered(text)) {
    const trimmed = line.trim()
    if (!inside && trimmed.startsWith("/**")) inside = true
    else if (inside && !trimmed.startsWith("*/")) lines.push({ number, text: line.replace(/^\s*\* ?/, "") })
    if (trimmed.endsWith("*/")) inside = false
  }
  return lines
}

/** What a run must print, if the example says so. */
export const expectedOutput = (example: Example): ReadonlyArray<string> =>
  [...example.code.matchAll(/\/\/ => (.*)$/gm)].map(([, line = ""]) => line.trimEnd())

/** A file name for the example from which people and compilers can tell where it comes from. */
export const fileName = (example: Example): string =>
  `${example.source.replace(/\.(md|ts)$/, "").replaceAll(/[^A-Za-z0-9]+/g, "-")}-${example.line}.ts`

/** Puts the place in the document where a message names a place in the example's file. */
export const translate = (examples: ReadonlyArray<Example>, message: string): string =>
  examples.reduce(
    (text, example) =>
      text.replaceAll(
        new RegExp(`\\S*${RegExp.escape(fileName(example))}[(:](\\d+)[,:](\\d+)\\)?`, "g"),
        (_, line: string, column: string) => `${example.source}:${example.line + Number(line)}:${column}`
      ),
    message
  )
