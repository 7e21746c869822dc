/**
 * A public module as its reference page shows it: prose, and exports by category.
 *
 * Signatures are the text of the source as its author wrote it, without bodies;
 * where the author left a type to inference, the compiler is asked. Doc comments
 * are Markdown already: only their tags are taken out.
 */
import * as Ast from "typescript/unstable/ast"
import type { Checker } from "typescript/unstable/sync"

export interface Doc {
  /** Markdown, without tags. */
  readonly prose: string
  readonly tags: Readonly<Record<string, ReadonlyArray<string>>>
}

export interface ApiExport {
  readonly name: string
  readonly line: number
  readonly signature: string
  readonly doc: Doc | undefined
}

export interface ApiModule {
  readonly narrative: Doc | undefined
  readonly exports: ReadonlyArray<ApiExport>
}

export const extract = (file: Ast.SourceFile, checker: Checker): ApiModule => ({
  narrative: narrativeOf(file),
  exports: file.statements.flatMap((statement): ReadonlyArray<ApiExport> => {
    if (Ast.isExportDeclaration(statement)) return passedOn(statement, checker)
    if (!isExported(statement)) return []
    return namedDeclarations(statement).map((declaration) => {
      const name = declaration.name?.getText() ?? ""
      const signature = signatureOf(declaration, name, checker)
      return { name, line: lineOf(statement), signature, doc: docOf(statement) }
    })
  })
})

type Declaration =
  | Ast.VariableDeclaration
  | Ast.FunctionDeclaration
  | Ast.ClassDeclaration
  | Ast.InterfaceDeclaration
  | Ast.TypeAliasDeclaration

const namedDeclarations = (statement: Ast.Statement): ReadonlyArray<Declaration> => {
  if (Ast.isVariableStatement(statement)) return statement.declarationList.declarations
  return Ast.isFunctionDeclaration(statement) ||
    Ast.isClassDeclaration(statement) ||
    Ast.isInterfaceDeclaration(statement) ||
    Ast.isTypeAliasDeclaration(statement)
    ? [statement]
    : []
}

/**
 * `export { delete_ as delete }` and `export type { Status } from "./Status.ts"`: the
 * doc comment stands at the exported name, or else where the thing is declared.
 */
const passedOn = (statement: Ast.ExportDeclaration, checker: Checker): ReadonlyArray<ApiExport> => {
  const clause = statement.exportClause
  if (clause === undefined || !Ast.isNamedExports(clause)) {
    // What a module exports has to be readable in it.
    return [{ name: statement.getText(), line: lineOf(statement), signature: "", doc: undefined }]
  }
  return clause.elements.map((element) => {
    const name = element.name.getText()
    const declared = declarationOf(element, checker)
    return {
      name,
      line: lineOf(element),
      signature: declared === undefined ? element.getText() : signatureOf(declared.declaration, name, checker),
      doc: docOf(element) ?? (declared === undefined ? undefined : docOf(declared.statement))
    }
  })
}

const declarationOf = (element: Ast.ExportSpecifier, checker: Checker) => {
  const symbol = checker.getSymbolAtLocation(element.name)
  if (symbol === undefined) return undefined
  const found = checker.getAliasedSymbol(symbol).declarations[0]?.resolve()
  for (let at = found; at !== undefined; at = at.parent) {
    if (!Ast.isStatement(at)) continue
    const statement = at
    const declaration = namedDeclarations(statement).find((one) => one === found)
    return declaration === undefined ? undefined : { declaration, statement }
  }
  return undefined
}

const isExported = (statement: Ast.Statement): boolean =>
  "modifiers" in statement &&
  Array.isArray(statement.modifiers) &&
  statement.modifiers.some((modifier: Ast.Node) => modifier.kind === Ast.SyntaxKind.ExportKeyword)

const lineOf = (node: Ast.Node): number =>
  node
    .getSourceFile()
    .getLineStarts()
    .findLastIndex((start) => start <= node.getStart()) + 1

const textBetween = (node: Ast.Node, start: number, end: number): string =>
  node.getSourceFile().text.slice(start, end).trim()

const signatureOf = (declaration: Declaration, name: string, checker: Checker): string => {
  if (Ast.isInterfaceDeclaration(declaration) || Ast.isTypeAliasDeclaration(declaration)) {
    return declaration.getText().replace(/^export /, "")
  }
  if (Ast.isClassDeclaration(declaration)) return classSignature(declaration)
  if (Ast.isFunctionDeclaration(declaration)) {
    const end = declaration.body?.getStart() ?? declaration.end
    return textBetween(declaration, declaration.getStart(), end).replace(/^export /, "")
  }
  return `const ${name}: ${constType(declaration, checker)}`
}

/** The author's annotation; of a function its parameters and result; or else what the compiler inferred. */
const constType = (declaration: Ast.VariableDeclaration, checker: Checker): string => {
  if (declaration.type !== undefined) return declaration.type.getText()
  const value = declaration.initializer
  if (value !== undefined && Ast.isArrowFunction(value) && value.type !== undefined) {
    const parameters = textBetween(value, value.getStart(), value.type.pos).replace(/:$/, "")
    return `${parameters} => ${value.type.getText()}`
  }
  const type = checker.getTypeAtLocation(declaration.name)
  return type === undefined ? "unknown" : checker.typeToString(type, declaration)
}

/** Heritage, and what a user can see of the members. */
const classSignature = (declaration: Ast.ClassDeclaration): string => {
  const clauses = declaration.heritageClauses
  const head = textBetween(
    declaration,
    declaration.getStart(),
    clauses === undefined ? (declaration.name?.end ?? declaration.pos) : clauses.end
  )
  const members = declaration.members.flatMap(memberSignature).map((member) => `  ${member}`)
  const text = head.replace(/^export /, "")
  return members.length === 0 ? text : `${text} {\n${members.join("\n")}\n}`
}

const memberSignature = (member: Ast.ClassElement): ReadonlyArray<string> => {
  if (Ast.isPropertyDeclaration(member) && Ast.isIdentifier(member.name) && member.type !== undefined) {
    return [textBetween(member, member.getStart(), member.type.end)]
  }
  if (Ast.isGetAccessorDeclaration(member) && Ast.isIdentifier(member.name) && member.type !== undefined) {
    // Every error has a message.
    return member.name.text === "message" ? [] : [`readonly ${member.name.text}: ${member.type.getText()}`]
  }
  return Ast.isMethodDeclaration(member) && Ast.isIdentifier(member.name) && member.body !== undefined
    ? [textBetween(member, member.getStart(), member.body.getStart())]
    : []
}

/** The comment at the head of the file: not the one that belongs to its first declaration. */
const narrativeOf = (file: Ast.SourceFile): Doc | undefined => {
  const [first] = file.statements
  const comments = first?.jsDoc ?? []
  const belongsToModule = first !== undefined && (!isExported(first) || comments.length > 1)
  return belongsToModule && comments[0] !== undefined ? parseDoc(comments[0].getText()) : undefined
}

const docOf = (node: Ast.Node): Doc | undefined => {
  const comment = node.jsDoc?.at(-1)
  return comment === undefined ? undefined : parseDoc(comment.getText())
}

/** Takes a doc comment apart. Tags stand at the beginning of a line, outside of fences. */
export const parseDoc = (comment: string): Doc => {
  const lines = comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
  const prose: Array<string> = []
  const tags: Record<string, Array<string>> = {}
  let inFence = false
  for (const line of lines) {
    const tag = /^@(\w+)\s*(.*)$/.exec(line)
    if (line.startsWith("```")) inFence = !inFence
    if (tag === null || inFence) prose.push(line)
    else (tags[tag[1] ?? ""] ??= []).push(tag[2] ?? "")
  }
  return { prose: prose.join("\n").trim(), tags }
}
