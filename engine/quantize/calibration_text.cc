#include "engine/quantize/calibration_text.h"

namespace edgegate {

std::string CalibrationText() {
  return R"(The pump house stands at the bend of the river, where the road leaves the village. Every
morning at six the keeper reads the gauge, writes the level into a grey book, and opens the sluice a
little if the night was wet. On Tuesday he found 3.42 metres, eleven centimetres more than the day
before, and rang the office in town.

User: What does the camera at the north gate show?
Assistant: A white van is waiting in front of the barrier. The driver's window is open, and the
barrier light is red. There is nobody else in the picture.
User: Thanks. Please write a short notice for the staff.
Assistant: Dear colleagues, please keep the north gate clear between 7:30 and 9:00. Deliveries go to
the loading bay behind building C. If you have questions, ask at the front desk.

def average(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else None

{"sensor": "boiler-2", "temperature": 68.5, "unit": "C", "alarms": [], "ok": true}

Water boils at a lower temperature in the mountains because the air pressure is lower there. This is
why pasta takes longer to cook at 2,500 m than at the seaside. First, heat the water. Second, add a
spoon of salt. Third, wait until it boils again before you put the pasta in.

今天的天气很好，我们去公园散步。水表的读数是一千二百三十四立方米。请用一句话回答：天空为什么是蓝色的？
Wie spät ist es? Es ist Viertel nach drei, und der Zug fährt um halb vier. Où est la clé de la
salle des machines ? Elle est sur la table, à côté du téléphone. ¿Cuántas luces están encendidas?
Hay tres luces verdes y una roja.

Question: A tank holds 240 litres and loses 15 litres an hour. After how many hours is it empty?
Answer: 240 / 15 = 16, so the tank is empty after 16 hours.

The history of the lighthouse begins in 1784, when two ships were lost on the same night. The tower
was built of granite from the island; its lamp burned rape oil, then paraffin, and since 1931 it has
been electric. Tourists may climb the 199 steps from May to September, except on Mondays.

User: Summarize the report in three points.
Assistant: 1. The new filters last twice as long as the old ones. 2. Two of the nine pumps must be
replaced before winter. 3. The budget for spare parts is used up, so the board has to decide in
October.
User: Which two pumps?
Assistant: Pumps 4 and 7. Number 4 loses oil, and the bearing of number 7 is worn out.

#include <stdio.h>
int main(void) {
  for (int i = 1; i <= 20; i++) {
    if (i % 15 == 0) puts("both");
    else if (i % 5 == 0) puts("five");
    else printf("%d\n", i);
  }
  return 0;
}

Dear Ms. Okafor,
Thank you for your letter of 3 March. We are sorry that the delivery arrived late and that one of
the boxes was damaged. A replacement was sent this morning and should reach you on Thursday. The
enclosed voucher covers the cost of postage.
Yours sincerely, J. Lindqvist, Customer Service

Photosynthesis turns light into chemical energy. In the leaf's chloroplasts, water is split into
oxygen, protons and electrons; the energy that is stored on the way later binds carbon dioxide into
sugar. Plants give off the oxygen that animals breathe, and a large beech makes about eleven
thousand litres of it on a sunny day. Without nitrogen, phosphorus and potassium, however, even the
best-lit leaf turns yellow.

人工智能可以帮助工厂提前发现设备故障。传感器每秒采集温度、压力和振动数据，模型根据这些数据判断机器是否正常。
如果出现异常，系统会立即通知值班人员。问：明天北京会下雨吗？答：根据天气预报，明天多云转晴，气温在十二到二十度之间，
不会下雨。请把下面的句子翻译成英文：“我们昨天在图书馆学习了三个小时。” We studied in the library for three
hours yesterday.

SELECT room, AVG(temperature) AS mean, COUNT(*) FROM readings
WHERE taken_at >= '2024-05-01' GROUP BY room HAVING COUNT(*) > 10 ORDER BY mean DESC;

| item | price | stock |
|---|---|---|
| hinge, brass | 4.20 | 118 |
| lock, 45 mm | 12.95 | 7 |
| screw, 5x60 | 0.09 | 2,400 |

Once upon a time a miller had three sons, and when he died he left the eldest the mill, the second
the donkey, and the youngest nothing but the cat. "What shall I do with a cat?" sighed the boy. "Buy
me a pair of boots," said the cat, "and you will see that you have not been treated as badly as you
think." So he spent his last coins at the cobbler's, and the two of them set out before dawn, while
the fields were still white with frost.

Q: If 3x + 7 = 22, what is x?
A: Subtract 7 from both sides: 3x = 15. Divide by 3: x = 5.
Q: A train leaves at 14:35 and arrives at 17:10. How long does the journey take?
A: From 14:35 to 17:00 it is 2 hours 25 minutes; 10 minutes more make 2 hours 35 minutes.
Q: What is the area of a circle with a radius of 4 cm?
A: Pi times the radius squared: 3.1416 * 16, about 50.27 square centimetres.

Mr. Hale put down his newspaper. "You never told me that she was coming," he said. "I did, twice,"
his wife answered, without looking up from her knitting, "but you were listening to the football."
Outside a car door slammed. He thought of the unwashed dishes, of the dog on the good sofa, and of
the letter that he had hidden behind the clock, and for the first time in years he wished that it
would rain.

Der Vertrag kann mit einer Frist von drei Monaten zum Jahresende gekündigt werden. Bitte beachten
Sie, dass Änderungen der Schriftform bedürfen. Le conseil municipal a voté hier soir la construction
d'une nouvelle école; les travaux commenceront au printemps. El médico le recomendó descansar una
semana y beber mucha agua. Il treno per Milano parte dal binario quattro alle nove e un quarto.

$ systemctl status gateway
gateway.service - Edge gateway
     Active: active (running) since Mon 2024-02-12 08:14:03 UTC; 3 days ago
   Main PID: 1822 (gateway)
Feb 15 09:01:44 node7 gateway[1822]: WARN sensor 12: no answer for 30 s, retrying (2/5)
Feb 15 09:02:14 node7 gateway[1822]: INFO sensor 12: connected, firmware 1.8.3

How to change a bicycle tube: turn the bicycle upside down and take out the wheel. Let the rest of
the air out, and lift one side of the tyre over the rim with two levers. Pull out the old tube, feel
inside the tyre for thorns or glass, and put in the new tube, a little inflated so that it does not
twist. Press the tyre back with your thumbs, not with the levers, and pump it up to the pressure
that is printed on its side, usually 3 to 5 bar.

class Queue:
    """First in, first out."""

    def __init__(self, limit=100):
        self._items = []
        self._limit = limit

    def push(self, item):
        if len(self._items) >= self._limit:
            raise OverflowError(f"more than {self._limit} items")
        self._items.append(item)

The Danube rises in the Black Forest and flows for 2,850 kilometres through ten countries before it
reaches the Black Sea. Vienna, Bratislava, Budapest and Belgrade stand on its banks. The Romans
guarded it as a frontier; in the nineteenth century steamers carried grain and passengers, and today
its dams supply electricity to millions of households. In 1989 the shipping of a whole summer was
stopped by drought, which nobody living had seen before.

<ul>
  <li><a href="/status?node=7">Node 7</a>: 21.4 &deg;C</li>
  <li class="warning">Node 9: offline since 06:30</li>
</ul>

User: I feel tired every afternoon. Do you have any advice?
Assistant: A few things often help. Eat a lighter lunch with protein and vegetables, drink water
before you are thirsty, and take a ten-minute walk outside. If you sleep less than seven hours, try
to go to bed earlier. Should it last for several weeks, please see a doctor, since there can be
medical reasons such as a lack of iron.
User: And coffee?
Assistant: One cup after lunch is fine for most people, but later than 3 p.m. it may disturb your
sleep.

Inflation slowed to 2.4 percent in September, the statistics office said on Wednesday, from 2.9
percent in August. Energy was 7.1 percent cheaper than a year ago, while rents and services went on
rising. Economists had expected 2.6 percent. The central bank, which meets next week, has cut its
rate twice this year; shares of builders gained up to 3 percent after the news.
)";
}

}  // namespace edgegate
