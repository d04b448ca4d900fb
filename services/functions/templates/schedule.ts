export const description = "Runs every five minutes";

export const triggers = [{ type: "schedule", cron: "*/5 * * * *", name: "every-five-minutes" }];

export default function handler(event: unknown) {
  console.log("run by", event);
  return { done: true };
}
