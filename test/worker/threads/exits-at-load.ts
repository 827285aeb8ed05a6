/** A thread's file whose thread ends while it boots. */
process.exit(0);
