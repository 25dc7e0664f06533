"""For whoever writes a source: a contract for shops to test it with, and one suite of promises every source keeps."""
