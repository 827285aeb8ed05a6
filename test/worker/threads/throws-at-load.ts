/** A thread's file that cannot be loaded. */
throw new Error('this thread file cannot be loaded');
