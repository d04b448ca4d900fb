Deno.serve(async (req: Request) => {
  const { name = "world" } = await req.json().catch(() => ({}));
  return Response.json({ message: `Hello ${name}!` });
});
