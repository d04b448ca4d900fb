// A function in Supabase's format. From a browser:
//   const { data } = await supabase.functions.invoke("hello-supabase", { body: { name: "Ada" } });

import { corsHeaders } from "../_shared/cors.ts";

Deno.serve(async (req: Request) => {
  if (req.method === "OPTIONS") {
    return new Response("ok", { headers: corsHeaders });
  }
  const { name = "world" } = await req.json().catch(() => ({}));
  return Response.json({ message: `Hello ${name}!` }, { headers: corsHeaders });
});
