/** The local file system: big writes, small reads, and what durability costs. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Random from "../Random.ts"
import type { Limit } from "./Limit.ts"

const fileBytes = 64 << 20
const readBytes = 4096
const objectBytes = 1024
const objects = 50
const megabyte = 1e6

export const limits = (): ReadonlyArray<Limit> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-"))
  const source = Buffer.alloc(fileBytes, 3)
  const release = async () => fs.rmSync(folder, { recursive: true, force: true })
  return [writes(folder, source), puts(folder, source), reads(folder, source, release)]
}

const writes = (folder: string, source: Buffer): Limit => {
  const file = path.join(folder, "written")
  const write = (pieceBytes: number, sync: boolean) => (): number => {
    const open = fs.openSync(file, "w")
    for (let at = 0; at < fileBytes; at += pieceBytes) fs.writeSync(open, source, at, pieceBytes)
    if (sync) fs.fsyncSync(open)
    fs.closeSync(open)
    fs.unlinkSync(file)
    return fileBytes / megabyte
  }
  return {
    title: "fs: write 64 MiB",
    unit: "MB",
    variants: [
      { name: "64 KiB pieces", run: write(1 << 16, false) },
      { name: "1 MiB pieces", run: write(1 << 20, false) },
      { name: "1 MiB pieces, fsync", run: write(1 << 20, true) }
    ]
  }
}

const puts = (folder: string, source: Buffer): Limit => {
  const temporary = path.join(folder, "temporary")
  const renamed = (sync: boolean) => (): number => {
    for (let i = 0; i < objects; i++) {
      const open = fs.openSync(temporary, "w")
      fs.writeSync(open, source, 0, objectBytes)
      if (sync) fs.fsyncSync(open)
      fs.closeSync(open)
      fs.renameSync(temporary, path.join(folder, `object-${i & 7}`))
    }
    return objects
  }
  const appended = (): number => {
    const open = fs.openSync(path.join(folder, "log"), "a")
    for (let i = 0; i < objects; i++) {
      fs.writeSync(open, source, 0, objectBytes)
      fs.fdatasyncSync(open)
    }
    fs.closeSync(open)
    return objects
  }
  return {
    title: "fs: small object of 1 KiB",
    unit: "object",
    variants: [
      { name: "write, fsync, rename", run: renamed(true) },
      { name: "write, rename", run: renamed(false) },
      { name: "append to one file, fdatasync", run: appended }
    ]
  }
}

const reads = (folder: string, source: Buffer, release: () => Promise<void>): Limit => {
  const file = path.join(folder, "read")
  fs.writeFileSync(file, source)
  const random = Random.make(8)
  const target = Buffer.allocUnsafe(readBytes)
  const place = (): number => (random() % (fileBytes / readBytes)) * readBytes
  const open = fs.openSync(file, "r")
  return {
    title: "fs: read 4 KiB at random, page cache warm",
    unit: "read",
    variants: [
      {
        name: "readSync",
        run: () => {
          for (let i = 0; i < 20_000; i++) fs.readSync(open, target, 0, readBytes, place())
          return 20_000
        }
      },
      {
        name: "read, awaited",
        run: async () => {
          for (let i = 0; i < 3000; i++) {
            await new Promise((resolve) => fs.read(open, target, 0, readBytes, place(), resolve))
          }
          return 3000
        }
      }
    ],
    release: async () => {
      fs.closeSync(open)
      await release()
    }
  }
}
