type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof DatabaseWithoutInternals, "public">]

type Schemas = DatabaseWithoutInternals

type InSchema = { schema: keyof Schemas }

type Relations<S extends keyof Schemas> = Schemas[S]["Tables"] & Schemas[S]["Views"]

type DefaultRelations = DefaultSchema["Tables"] & DefaultSchema["Views"]

export type Tables<
  NameOrOptions extends keyof DefaultRelations | InSchema,
  Name extends NameOrOptions extends InSchema
    ? keyof Relations<NameOrOptions["schema"]>
    : never = never,
> = NameOrOptions extends InSchema
  ? Relations<NameOrOptions["schema"]>[Name] extends { Row: infer R }
    ? R
    : never
  : NameOrOptions extends keyof DefaultRelations
    ? DefaultRelations[NameOrOptions] extends { Row: infer R }
      ? R
      : never
    : never

export type TablesInsert<
  NameOrOptions extends keyof DefaultSchema["Tables"] | InSchema,
  Name extends NameOrOptions extends InSchema
    ? keyof Schemas[NameOrOptions["schema"]]["Tables"]
    : never = never,
> = NameOrOptions extends InSchema
  ? Schemas[NameOrOptions["schema"]]["Tables"][Name] extends { Insert: infer I }
    ? I
    : never
  : NameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][NameOrOptions] extends { Insert: infer I }
      ? I
      : never
    : never

export type TablesUpdate<
  NameOrOptions extends keyof DefaultSchema["Tables"] | InSchema,
  Name extends NameOrOptions extends InSchema
    ? keyof Schemas[NameOrOptions["schema"]]["Tables"]
    : never = never,
> = NameOrOptions extends InSchema
  ? Schemas[NameOrOptions["schema"]]["Tables"][Name] extends { Update: infer U }
    ? U
    : never
  : NameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][NameOrOptions] extends { Update: infer U }
      ? U
      : never
    : never

export type Enums<
  NameOrOptions extends keyof DefaultSchema["Enums"] | InSchema,
  Name extends NameOrOptions extends InSchema
    ? keyof Schemas[NameOrOptions["schema"]]["Enums"]
    : never = never,
> = NameOrOptions extends InSchema
  ? Schemas[NameOrOptions["schema"]]["Enums"][Name]
  : NameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][NameOrOptions]
    : never

export type CompositeTypes<
  NameOrOptions extends keyof DefaultSchema["CompositeTypes"] | InSchema,
  Name extends NameOrOptions extends InSchema
    ? keyof Schemas[NameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = NameOrOptions extends InSchema
  ? Schemas[NameOrOptions["schema"]]["CompositeTypes"][Name]
  : NameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][NameOrOptions]
    : never
