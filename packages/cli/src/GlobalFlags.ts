/**
 * The flags that every command takes, before or after its name, each with an
 * environment variable that stands in for it.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import { Flag, GlobalFlag } from "effect/cli"
import * as ByteText from "./ByteText.ts"

export const outputFormats = ["table", "json", "ndjson"] as const
export type OutputFormat = (typeof outputFormats)[number]

export const Store = GlobalFlag.Setting("store")({
  flag: Flag.String("store").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("Where the objects are: file:DIR, s3://BUCKET/PREFIX or memory: ($SLATE_STORE)"),
    Flag.withFallbackConfig(Config.String("SLATE_STORE")),
    Flag.optional
  )
})

export const Database = GlobalFlag.Setting("db")({
  flag: Flag.String("db").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription("Path of the database in the store ($SLATE_DB)"),
    Flag.withFallbackConfig(Config.String("SLATE_DB")),
    Flag.optional
  )
})

export const SettingsFile = GlobalFlag.Setting("settings")({
  flag: Flag.String("settings").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("JSON file with settings; SLATEDB_* variables override it ($SLATE_SETTINGS)"),
    Flag.withFallbackConfig(Config.String("SLATE_SETTINGS")),
    Flag.optional
  )
})

export const Output = GlobalFlag.Setting("format")({
  flag: choice("format", outputFormats, "SLATE_FORMAT", "How results are printed ($SLATE_FORMAT)")
})

export const KeyFormat = GlobalFlag.Setting("key")({
  flag: choice("key", ByteText.formats, "SLATE_KEY", "How keys are typed and printed ($SLATE_KEY)")
})

export const ValueFormat = GlobalFlag.Setting("value")({
  flag: choice("value", ByteText.formats, "SLATE_VALUE", "How values are typed and printed ($SLATE_VALUE)")
})

export const Merge = GlobalFlag.Setting("merge")({
  flag: Flag.Literals("merge", ["append"]).pipe(
    Flag.withDescription("The database's merge operator: append concatenates ($SLATE_MERGE)"),
    Flag.withFallbackConfig(Config.Literals(["append"], "SLATE_MERGE")),
    Flag.optional
  )
})

export const all = [Store, Database, SettingsFile, Output, KeyFormat, ValueFormat, Merge] as const

/** One of several words; the first is the default. */
function choice<const Words extends readonly [string, ...ReadonlyArray<string>]>(
  name: string,
  words: Words,
  variable: string,
  description: string
): Flag.Flag<Words[number]> {
  return Flag.Literals(name, words).pipe(
    Flag.withDescription(description),
    Flag.withFallbackConfig(Config.Literals(words, variable)),
    Flag.optional,
    Flag.map(Option.getOrElse((): Words[number] => words[0]))
  )
}
