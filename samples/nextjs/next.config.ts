import type { NextConfig } from 'next';

const config: NextConfig = {
  poweredByHeader: false,
  // The sample is a project of its own, although a folder above may have a lock file too.
  turbopack: { root: import.meta.dirname },
};

export default config;
