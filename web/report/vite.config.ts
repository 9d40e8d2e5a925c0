import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

// Names the page's own scripts by their hashes in its content security policy, so that no other can ever run: neither
// one that data bring along, nor one from elsewhere. Runs last, on the finished file.
function contentSecurityPolicy(): Plugin {
  return {
    name: "candor-content-security-policy",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "asset" || !file.fileName.endsWith(".html")) continue;
        const html = String(file.source);
        const scripts = [...html.matchAll(/<script(?![^>]*application\/json)[^>]*>([\s\S]*?)<\/script>/g)];
        const hashes = scripts.map(
          ([, text]) => `'sha256-${createHash("sha256").update(text ?? "").digest("base64")}'`,
        );
        const policy = [
          "default-src 'none'",
          `script-src ${hashes.join(" ")}`,
          "style-src 'unsafe-inline'",
          "img-src data:",
          "base-uri 'none'",
          "form-action 'none'",
        ].join("; ");
        if (!html.includes("CONTENT-SECURITY-POLICY")) throw new Error("index.html has no place for its policy");
        file.source = html.replace("CONTENT-SECURITY-POLICY", () => policy);
      }
    },
  };
}

export default defineConfig({
  plugins: [viteSingleFile({ removeViteModuleLoader: true }), contentSecurityPolicy()],
  logLevel: "warn",
  build: { target: "es2021", reportCompressedSize: false, chunkSizeWarningLimit: 2000 },
});
