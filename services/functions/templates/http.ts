export const description = "Answers HTTP requests";

export default function handler(req: Request) {
  const { searchParams } = new URL(req.url);
  return Response.json({ message: `Hello ${searchParams.get("name") ?? "world"}!` });
}
