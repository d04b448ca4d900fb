export const description = "Takes signed messages at /api/v1/webhooks/ingest/<name>";

export const triggers = [{ type: "webhook" }];

interface Message {
  id: string;
  headers: Record<string, string>;
  body: unknown;
}

export default function handler(message: Message) {
  console.log("received", message.body);
  return { done: true };
}
