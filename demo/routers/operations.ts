import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { Router } from 'express';

/** What operators ask of any service. */
export function operationsRouter(): Router {
  const router = Router();
  router.get('/version', (_request, response) => {
    response.json({ name: 'offloop-demo', version: '0.1.0', node: process.version });
  });
  router.get('/status', (_request, response) => {
    response.json({ status: 'ok', uptimeSeconds: Math.round(process.uptime()) });
  });
  router.get('/system', (_request, response) => {
    response.json({
      cpuCount: cpus().length,
      load: loadavg(),
      memory: { freeBytes: freemem(), totalBytes: totalmem(), ...process.memoryUsage() },
    });
  });
  return router;
}
