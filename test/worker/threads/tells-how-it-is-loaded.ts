/** A thread's file that cannot be loaded, and says by which way Node tried to. */
throw new Error(new Error().stack?.includes('importSyncForRequire') ? 'by require' : 'by import');
