import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '@offloop/express';
import { Router } from 'express';

/** The label's values come from here and never from a URL, which anybody may write. */
const MODELS: ReadonlyMap<string, { readonly warmUpMs: number }> = new Map([
  ['llama3', { warmUpMs: 4 }],
  ['mistral', { warmUpMs: 12 }],
  ['phi3', { warmUpMs: 25 }],
]);

/** A metric of the application's own: it stands on the same page as the middleware's. */
const probeSeconds = new Histogram({
  name: 'model_probe_seconds',
  help: 'Time a model took to answer a probe.',
  labelNames: ['model'],
  buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1],
});

/** Health of the models behind the service. */
export function modelRouter(): Router {
  const router = Router();
  router.get('/:modelName/health', async (request, response) => {
    const { modelName } = request.params;
    const model = MODELS.get(modelName);
    if (model === undefined) {
      response.status(404).json({ error: `no model ${modelName}` });
      return;
    }
    const stopTimer = probeSeconds.startTimer({ model: modelName });
    await delay(model.warmUpMs * (0.5 + Math.random()));
    response.json({ model: modelName, isHealthy: true, probeSeconds: stopTimer() });
  });
  return router;
}
