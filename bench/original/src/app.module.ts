import { createSecretKey } from 'node:crypto';
import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { AuthController } from './auth/auth.controller';
import { TokenGuard, UserGuard } from './auth/auth.guard';
import { PresenceGateway } from './presence/presence.gateway';
import { PresenceService } from './presence/presence.service';
import { PrismaService } from './users/prisma.service';
import { UsersService } from './users/users.service';

// A key object, where @nestjs/jwt documents a string: jsonwebtoken tries a string as a public key first, at each verification, which costs 0.5 ms
// on Node 20 (auth0/node-jsonwebtoken#1046). To beat that would be to beat a defect.
const secret = createSecretKey(Buffer.from(process.env.JWT_SECRET ?? ''));

@Module({
  imports: [
    JwtModule.register({
      secret,
      verifyOptions: {
        algorithms: ['HS256'],
        issuer: process.env.JWT_ISSUER,
        audience: process.env.JWT_AUDIENCE,
      },
    }),
  ],
  controllers: [AuthController],
  providers: [TokenGuard, UserGuard, PrismaService, UsersService, PresenceService, PresenceGateway],
})
export class AppModule {}
