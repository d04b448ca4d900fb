type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof DatabaseWithoutInternals, "public">]

type Schemas = DatabaseWithoutInternals

type InSchema = { schema: keyof Schemas }

// What a schema has: its tables and views are looked up together.
type Kinds<S> = S extends { Tables: infer T; Views: infer V; Enums: infer E; CompositeTypes: infer C }
  ? { Relations: T & V; Tables: T; Enums: E; CompositeTypes: C }
  : never

type Kind = "Relations" | "Tables" | "Enums" | "CompositeTypes"

type DefaultNames<K extends Kind> = keyof Kinds<DefaultSchema>[K]

type NamesIn<K extends Kind, NameOrOptions> = NameOrOptions extends InSchema
  ? keyof Kinds<Schemas[NameOrOptions["schema"]]>[K]
  : never

type Picked<K extends Kind, NameOrOptions, Name> = NameOrOptions extends InSchema
  ? Name extends keyof Kinds<Schemas[NameOrOptions["schema"]]>[K]
    ? Kinds<Schemas[NameOrOptions["schema"]]>[K][Name]
    : never
  : NameOrOptions extends DefaultNames<K>
    ? Kinds<DefaultSchema>[K][NameOrOptions]
    : never

export type Tables<
  NameOrOptions extends DefaultNames<"Relations"> | InSchema,
  Name extends NamesIn<"Relations", NameOrOptions> = never,
> = Picked<"Relations", NameOrOptions, Name> extends { Row: infer R } ? R : never

export type TablesInsert<
  NameOrOptions extends DefaultNames<"Tables"> | InSchema,
  Name extends NamesIn<"Tables", NameOrOptions> = never,
> = Picked<"Tables", NameOrOptions, Name> extends { Insert: infer I } ? I : never

export type TablesUpdate<
  NameOrOptions extends DefaultNames<"Tables"> | InSchema,
  Name extends NamesIn<"Tables", NameOrOptions> = never,
> = Picked<"Tables", NameOrOptions, Name> extends { Update: infer U } ? U : never

export type Enums<
  NameOrOptions extends DefaultNames<"Enums"> | InSchema,
  Name extends NamesIn<"Enums", NameOrOptions> = never,
> = Picked<"Enums", NameOrOptions, Name>

export type CompositeTypes<
  NameOrOptions extends DefaultNames<"CompositeTypes"> | InSchema,
  Name extends NamesIn<"CompositeTypes", NameOrOptions> = never,
> = Picked<"CompositeTypes", NameOrOptions, Name>
