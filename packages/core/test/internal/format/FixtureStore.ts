/**
 * The fixture databases, as bytes, with what an independent parser and the
 * official engine made of them. `test/fixtures/README.md` says what is in each.
 */
import * as Schema from "effect/Schema"
import { readdirSync, readFileSync } from "node:fs"

const fixtures = new URL("../../fixtures/", import.meta.url)

/** The folder of a case: the root of an object store. */
export const storeUrl = (name: string): URL => new URL(`stores/${name}/`, fixtures)

export const cases: ReadonlyArray<string> = readdirSync(new URL("stores/", fixtures)).toSorted()

/** Paths below the case's folder, in order, of the objects whose path ends so. */
export const paths = (name: string, ending = ""): ReadonlyArray<string> =>
  readdirSync(storeUrl(name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(storeUrl(name).pathname.length))
    .toSorted()

export const bytes = (name: string, path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(path, storeUrl(name))))

const Row = Schema.Tuple([Schema.String, Schema.String, Schema.Int, Schema.Int, Schema.NullOr(Schema.Int)])

export type Row = typeof Row.Type

const Expected = Schema.fromJsonString(
  Schema.Struct({ objects: Schema.Record(Schema.String, Schema.Unknown), scan: Schema.Array(Row) })
)

const expectations = (name: string): typeof Expected.Type =>
  Schema.decodeUnknownSync(Expected)(readFileSync(new URL(`expected/${name}.json`, fixtures), "utf8"))

/** What the independent parser made of an object, read as `schema`. */
export const expected = <S extends Schema.Decoder<unknown>>(name: string, path: string, schema: S): S["Type"] =>
  Schema.decodeUnknownSync(schema)(expectations(name).objects[path])

/** What the official engine found in a case: key, value, sequence number, creation and expiry time. */
export const expectedScan = (name: string): ReadonlyArray<Row> => expectations(name).scan

/** Bytes in the words of the expectations. */
export const print = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString("latin1")
  if (!/^[ -~]*$/.test(text)) return `hex:${Buffer.from(bytes).toString("hex")}`
  return bytes.length > 200 ? `(${bytes.length} bytes of ${text[0]})` : text
}
