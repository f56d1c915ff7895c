import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// GIBBON_LOGS_URL: the log service that `npm run dev` talks to (default: the mock's port).
const logs = process.env.GIBBON_LOGS_URL ?? 'http://127.0.0.1:3000'

export default defineConfig({
  base: './',
  plugins: [vue()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: { '/logs': logs, '/status': logs },
  },
  test: {
    include: ['test/unit/**/*.test.ts'],
    environment: 'node',
  },
})
