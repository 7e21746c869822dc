/**
 * The house: which floor a file of core stands on, and who may import whom.
 *
 * This is the table of `docs/ARCHITECTURE.md` in the form that the tidy test
 * reads. A file may always import its own floor.
 */

export type Floor = "model" | "format" | "lsm" | "contracts" | "store" | "read" | "task" | "roof"

export const source = "packages/core/src/"

/** Public modules that wire the floors together. All other public modules are contracts. */
const roof = new Set(["Db", "DbReader", "Compactor", "GarbageCollector", "Checkpoint", "Admin", "Snapshot"])

const privateFloors: ReadonlySet<string> = new Set(["model", "format", "lsm", "store", "read", "task"])

/** The floor of a file of core; `undefined` for the barrel, which stands outside, and for a file in no known folder. */
export const floorOf = (path: string): Floor | undefined => {
  if (!path.startsWith(source) || path === `${source}index.ts`) return undefined
  const [first = "", second = "", ...deeper] = path.slice(source.length).split("/")
  if (first !== "internal") return second === "" ? (roof.has(nounOf(path)) ? "roof" : "contracts") : undefined
  return deeper.length === 1 && privateFloors.has(second) ? (second as Floor) : undefined
}

/** The name of a file without folder and ending: one concept each. */
export const nounOf = (path: string): string => path.replace(/^.*\//, "").replace(/\.ts$/, "")

/**
 * What a floor may import of another one: everything, or the files named, or
 * only types (`values` names the files whose values it may have all the same).
 */
export type Permission = "all" | { readonly only: ReadonlyArray<string> } | { readonly values: ReadonlyArray<string> }

export const mayImport: Readonly<Record<Floor, Partial<Readonly<Record<Floor, Permission>>>>> = {
  model: {},
  format: { model: "all" },
  lsm: { model: "all" },
  contracts: {
    model: "all",
    // Default policies.
    lsm: "all",
    // The portable codecs are the default of the Compression contract.
    format: { values: ["Checksum", "Snappy", "Lz4"] }
  },
  store: { model: "all", format: "all", lsm: { only: ["Cursor"] }, contracts: "all" },
  read: { model: "all", lsm: "all", store: "all", contracts: "all" },
  task: { model: "all", format: "all", lsm: "all", contracts: "all", store: "all", read: "all" },
  roof: { model: "all", format: "all", lsm: "all", contracts: "all", store: "all", read: "all", task: "all" }
}

/** The modules of Effect that a floor without effects may use: values and their descriptions. */
export const pureModules: ReadonlySet<string> = new Set(
  [
    "Arbitrary",
    "Brand",
    "Data",
    "Duration",
    "Equal",
    "Equivalence",
    "Function",
    "Hash",
    "Option",
    "Order",
    "Predicate",
    "Result",
    "Schema",
    "SchemaAST",
    "SchemaGetter",
    "SchemaIssue",
    "SchemaTransformation"
  ].map((name) => `effect/${name}`)
)

export const isPure = (floor: Floor | undefined): boolean => floor === "model" || floor === "format" || floor === "lsm"

/** A fiber of its own with a mailbox; no task imports another, the roof connects them. */
export const isTask = (path: string): boolean =>
  floorOf(path) === "task" && (/[a-z]Task$/.test(nounOf(path)) || nounOf(path) === "ManifestKeeper")
