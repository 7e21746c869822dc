/**
 * The annotated bytes in `docs/format`, so that what the documents show is what
 * the tests read.
 *
 *     ```hex name
 *     0001 28000000    what it means
 *     ```
 *
 * A line is hexadecimal digits, in groups apart by one space; a note comes after two.
 */
import { readFileSync } from "node:fs"

const folder = new URL("../../../../../docs/format/", import.meta.url)

export const text = (document: string): string => readFileSync(new URL(document, folder), "utf8")

/** The bytes of the block `name` of a document. */
export const bytes = (document: string, name: string): Uint8Array => {
  const block = new RegExp(`^\`\`\`hex ${name}\n([^]*?)^\`\`\`$`, "m").exec(text(document))?.[1]
  if (block === undefined) throw new Error(`no such bytes: document=${document} name=${name}`)
  const digits = block.split("\n").map((line) => (line.split("  ")[0] ?? "").replaceAll(" ", ""))
  const wrong = digits.find((line) => !/^([0-9a-f]{2})*$/.test(line))
  if (wrong !== undefined) throw new Error(`no hexadecimal digits: document=${document} name=${name} line=${wrong}`)
  return new Uint8Array(Buffer.from(digits.join(""), "hex"))
}

/** Names of the blocks of a document. */
export const names = (document: string): ReadonlyArray<string> =>
  Array.from(text(document).matchAll(/^```hex (.*)$/gm), ([, name]) => name ?? "")
