export const description = "Runs when a row of todos is inserted or updated";

export const triggers = [{ type: "database", table: "todos", operations: ["INSERT", "UPDATE"] }];

interface Change {
  /** The same at every try: remember it where a second run must not do the work again. */
  id: string;
  operation: "INSERT" | "UPDATE" | "DELETE";
  record: Record<string, unknown> | null;
  old_record: Record<string, unknown> | null;
}

export default function handler(change: Change) {
  console.log(change.operation, change.record);
  return { done: true };
}
