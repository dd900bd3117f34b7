import { Logger } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import {
  ConnectedSocket,
  OnGatewayConnection,
  OnGatewayDisconnect,
  OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { Claims } from '../auth/auth.guard';
import { UsersService } from '../users/users.service';
import { PresenceService } from './presence.service';

@WebSocketGateway()
export class PresenceGateway implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  private readonly log = new Logger(PresenceGateway.name);

  constructor(
    private readonly jwt: JwtService,
    private readonly presence: PresenceService,
    private readonly users: UsersService,
  ) {}

  afterInit(server: Server) {
    // Socket.IO's memory advice: don't keep the first HTTP request of each session.
    server.engine.on('connection', (socket: { request: unknown }) => {
      socket.request = null;
    });
  }

  async handleConnection(socket: Socket) {
    try {
      const { sub } = await this.jwt.verifyAsync<Claims>(socket.handshake.auth.token);
      socket.data.userId = sub;
    } catch {
      socket.disconnect(true);
      return;
    }
    await this.presence.online(socket.data.userId);
    socket.emit('connected', { userId: socket.data.userId });
  }

  @SubscribeMessage('heartbeat')
  async heartbeat(@ConnectedSocket() socket: Socket) {
    await this.presence.refresh(socket.data.userId);
    return { ok: true };
  }

  async handleDisconnect(socket: Socket) {
    const { userId } = socket.data;
    if (!userId) return;
    try {
      await Promise.all([this.presence.offline(userId), this.users.seen(userId)]);
    } catch (error) {
      this.log.error(error);
    }
  }
}
