// The stack that Pulse replaces, rebuilt as its authors would write it: NestJS on Fastify, Socket.IO, Prisma, ioredis and @nestjs/jwt, one process.
// What the documentation of its parts recommends is on: Fastify instead of Express, pipelining in ioredis, bufferutil, no first request kept, and the
// JWT secret as a key object (see app.module.ts). `sub` is taken for the user's id. Two things stay as they were designed: presence is one key per
// user, so that a disconnect can undo another device's connect, and a disconnect is an UPDATE.
//
// Prisma is its engine-less client on node-postgres. `prisma generate` still wants a native schema engine, which it would download and does not use:
// /bin/true will do (see package.json). Migrations do use it, so prisma/schema.sql makes the table.
import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';

async function serve() {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
    logger: ['error', 'warn'],
  });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  app.enableShutdownHooks();
  await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
}

void serve();
