import { closeCodes } from '../../protocol/errors.ts'
import { counter, gauge, listOf, type Metric } from './metric.ts'

export const sessions: readonly Metric[] = [
  gauge('carillon_sessions', [], ['Live sessions', '在线会话数'], ({ hub }) => hub.sessions.count),
  gauge(
    'carillon_recipients_live',
    [],
    ['Recipients with a live session', '有在线会话的接收者数'],
    ({ hub }) => hub.sessions.recipients,
  ),
  gauge(
    'carillon_recipients_known',
    [],
    [
      'Recipients that the hub knows, from the config or because they came; system is one of them',
      '已知接收者数，包括配置的和曾经连接过的；system 也计算在内',
    ],
    ({ directory }) => directory.size,
  ),
  gauge(
    'carillon_send_buffer_bytes',
    [],
    ['Bytes for sessions that the network has not taken yet', '尚未被网络接收的会话待发字节数'],
    ({ hub }) => hub.sessions.buffered(),
  ),
  counter(
    'carillon_sockets_closed_total',
    ['code'],
    [
      'Sockets that the hub closed, by close code (1013: reads too slowly; 4001: replaced by a newer one; others in PROTOCOL.md)',
      '由服务关闭的连接，按关闭码统计（1013 读取过慢，4001 被新连接取代，其余见 PROTOCOL.md）',
    ],
    ({ hub }) => listOf<number>(hub.meters.closed, Object.values(closeCodes)),
  ),
]
